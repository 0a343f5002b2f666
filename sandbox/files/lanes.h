#pragma once
/*
 * lanes: SHA-256 of many short messages at once. A processor with wide registers but without instructions for
 * SHA-256 hashes sixteen messages beside each other several times as fast as one after another.
 *
 * The compression function is that of FIPS 180-4, written once over vectors of the compiler. Where the
 * processor has instructions of its own for SHA-256, or no wide registers, libcrypto does the work. The
 * result is the same in every case, and tests/unit/test-lanes.c holds it against libcrypto's.
 */
#include <stddef.h>
#include <stdint.h>

typedef struct LanesMessage {
        const void *bytes; /* borrowed */
        size_t n;
        uint8_t *value; /* where the 32 bytes go */
} LanesMessage;

typedef enum LanesKind { LANES_BEST, LANES_NONE, LANES_AVX2, LANES_AVX512 } LanesKind;

/** lanes_kind() - what this processor does best with */
LanesKind lanes_kind(void);

/**
 * lanes_hash() - hash @n messages
 * @kind: LANES_BEST; or one that this processor has, for tests
 */
void lanes_hash(LanesKind kind, const LanesMessage *messages, size_t n);
