#pragma once

// Every file of the addon includes Node's API through this one, so that all see the same settings.
//
// A worker thread that is being terminated refuses every call into JavaScript. Without this,
// node-addon-api takes the whole process down when it cannot throw there.
#ifndef NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#endif

// Somebody else's headers, which our warnings do not concern.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#include <napi.h>
#pragma GCC diagnostic pop
