#pragma once

// Every file of the addon includes Node's API through this one, so that all see the same settings.
//
// A worker thread that is being terminated refuses every call into JavaScript. Without this, node-addon-api takes the
// whole process down when it cannot throw there.
#ifndef NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#endif

#include <napi.h>
