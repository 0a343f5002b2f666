#pragma once
/*
 * sha256: SHA-256 (FIPS 180-4) without a library, for programs that link none: what is hashed here is a patch
 * or a page, once a call. Who has libcrypto uses base/digest.h.
 */
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE     32
#define SHA256_TEXT_MAX 72

/** sha256_of() - the value of @n bytes. @ret: SHA256_SIZE bytes */
void sha256_of(const void *bytes, size_t n, uint8_t *ret);

/** sha256_text() - "sha256:<64 hex digits>" of @n bytes into @text of SHA256_TEXT_MAX. Returns: @text */
const char *sha256_text(const void *bytes, size_t n, char *text);

/** sha256_base64() - the value in base 64 into @text of SHA256_TEXT_MAX, as Content-Security-Policy has it. Returns: @text */
const char *sha256_base64(const void *bytes, size_t n, char *text);
