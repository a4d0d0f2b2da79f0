#pragma once
// A stub for compiling only: see README.md.
#define TCPS_FIN_WAIT_1 7
#define TCPS_CLOSING 8
#define TCPS_LAST_ACK 9
#define TCPS_FIN_WAIT_2 10
#define TCPS_TIME_WAIT 11
