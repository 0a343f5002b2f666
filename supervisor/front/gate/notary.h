#pragma once
/*
 * notary: a process that alone holds the host's private key and the list of heads ("anchors"). It is cloned
 * from the front before the front has read a byte from outside, and is asked by structs of fixed size.
 *
 * So a front that has fallen can have a head signed, with the time and number that the notary gives it, for as
 * long as it has fallen; it can neither take the key along, nor sign for an earlier time, nor take a line
 * out of the list, which is root's file.
 */
#include "base/statement.h"

#define ANCHORS_BYTES_MAX (64u << 20) /* of the list of heads */

typedef struct NotaryHello { /* the first message */
        int32_t code;        /* 0, or why there is none */
        char key[DIGEST_TEXT_MAX];
        char pem[SIGN_PEM_MAX]; /* public */
        char text[ERROR_TEXT_MAX];
} NotaryHello;

typedef enum NotaryKind {
        NOTARY_SIGN = 1,
        NOTARY_SYNC, /* answered in its turn, and no more */
} NotaryKind;

typedef struct NotaryRequest {
        uint32_t kind;
        uint32_t pad;
        Statement statement; /* anchor and time are the notary's to fill */
} NotaryRequest;

typedef struct NotaryReply { /* in the order of the requests */
        int32_t code; /* 0; -EFBIG: the list is full; -EBUSY: too many at once; another errno */
        uint32_t pad;
        uint64_t anchor;
        uint64_t time_usec;
        uint8_t signature[SIGNATURE_SIZE];
} NotaryReply;

/** NotaryFds - what the monitor handed over; each is consumed */
typedef struct NotaryFds {
        int key, public_key,
                anchors; /* regular files that are root's; anchors opened with O_APPEND */
} NotaryFds;

/**
 * notary_start() - clone the notary
 * @fds: closed here in any case
 *
 * To be called first of all: what the front reads later could turn it against us. It is not waited for.
 *
 * Returns: its socket (SEQPACKET, non-blocking), owned by the caller; or negative errno.
 */
int notary_start(NotaryFds *fds, Error *err);

/** notary_hear() - its first word, waited for. Returns: 0, or negative errno: why there is no notary */
int notary_hear(int fd, NotaryHello *ret, Error *err);
