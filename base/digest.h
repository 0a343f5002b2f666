#pragma once
/*
 * digest: SHA-256 by libcrypto (FIPS 180-4), and its text form "sha256:<64 hex digits>".
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"

#define DIGEST_SIZE     32
#define DIGEST_TEXT_MAX 72

typedef struct Digest Digest;

/** digest_new() - a fresh state. Returns: 0 or -ENOMEM */
int digest_new(Digest **ret_digest);
/** digest_free() - release it, NULL is fine. Returns: NULL */
Digest *digest_free(Digest *digest);
DEFINE_SCOPED(Digest *, digest_free);
/** digest_add() - hash @n bytes more */
void digest_add(Digest *digest, const void *bytes, size_t n);
/** digest_end() - the value; the state starts afresh */
void digest_end(Digest *digest, uint8_t *ret_value);
/** digest_of() - of @n bytes at once */
void digest_of(const void *bytes, size_t n, uint8_t *ret_value);
/** digest_of_fd() - of a whole regular file (pread from 0). Returns: 0 or negative errno */
int digest_of_fd(int fd, uint8_t *ret_value, Error *err);
/** digest_format() - "sha256:…" into @text of DIGEST_TEXT_MAX. Returns: @text */
const char *digest_format(const uint8_t *value, char *text);
/** digest_parse() - the exact text form. Returns: 0 or -EINVAL */
int digest_parse(const char *text, uint8_t *ret_value);
