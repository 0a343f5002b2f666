#pragma once
/*
 * egress: the structs between the front and warder-egress, one a message over SOCK_SEQPACKET, native byte
 * order; descriptors by SCM_RIGHTS. They stand here and not in supervisor/wire.h because egress includes
 * nothing but base. Egress treats what the front sends as data to check; the front treats what egress
 * says as the word of a process that reads a hostile network.
 */
#include <stdint.h>

#include "base/error.h"

#define EGRESS_URL_MAX   512
#define EGRESS_MODEL_MAX 128

typedef enum EgressRequestKind { EGRESS_OPEN = 1, EGRESS_CLOSE } EgressRequestKind;

/* OPEN comes with two descriptors: the listener in the agent's jail, a sealed memfd of the key (empty: none). */
typedef struct EgressRequest {
        uint32_t kind;
        uint32_t pad;
        uint64_t id;                   /* the task's number at the front */
        uint64_t requests_max;         /* model calls of this task; 0: no limit */
        uint64_t bytes_max;            /* of one reply; 0: no limit */
        char base_url[EGRESS_URL_MAX]; /* "https://host/v1": + the path below /v1 */
        char model[EGRESS_MODEL_MAX];  /* for the record; the body is passed through */
} EgressRequest;

typedef enum EgressEventKind { EGRESS_OPENED = 1, EGRESS_CALL, EGRESS_LIMIT } EgressEventKind;

typedef struct EgressEvent {
        uint32_t kind;
        int32_t code; /* OPENED: 0 or negative errno; CALL: HTTP status, 0 where none came */
        uint64_t id;
        uint64_t calls;     /* so far */
        uint64_t tokens_in; /* of this call, from the reply's usage; 0 where it names none */
        uint64_t tokens_out;
        uint64_t bytes_in;
        uint64_t bytes_out;
        uint64_t wall_usec;
        uint32_t attempts; /* with retries */
        uint32_t pad;
        char text[ERROR_TEXT_MAX];
} EgressEvent;
