#pragma once
/*
 * signing: Ed25519 by libcrypto (RFC 8032). Keys as PEM: PKCS #8, and SubjectPublicKeyInfo, as the program
 * openssl reads them. A key is named by the SHA-256 of its SubjectPublicKeyInfo in DER.
 */
#include <stdbool.h>

#include "base/digest.h"

#define SIGNATURE_SIZE 64
#define SIGN_PEM_MAX   512 /* of a text of a key, with its NUL */

typedef struct SignKey SignKey;

/** sign_key_make() - a new private key */
int sign_key_make(SignKey **ret, Error *err);
/** sign_key_read() - a private key from its PEM text. Returns: 0; -EINVAL: it is none, or not Ed25519 */
int sign_key_read(const char *pem, size_t n, SignKey **ret, Error *err);
/** sign_key_read_public() - likewise a public one */
int sign_key_read_public(const char *pem, size_t n, SignKey **ret, Error *err);
/** sign_key_free() - NULL is fine. Returns: NULL */
SignKey *sign_key_free(SignKey *key);
DEFINE_SCOPED(SignKey *, sign_key_free);

/** sign_key_text() - the private key as PEM into @text of SIGN_PEM_MAX */
int sign_key_text(const SignKey *key, char *text, Error *err);
/** sign_key_public_text() - the public key as PEM into @text of SIGN_PEM_MAX */
int sign_key_public_text(const SignKey *key, char *text, Error *err);
/** sign_key_name() - "sha256:…" into @text of DIGEST_TEXT_MAX. Returns: 0 or negative errno */
int sign_key_name(const SignKey *key, char *text, Error *err);

/** sign_bytes() - a signature of SIGNATURE_SIZE */
int sign_bytes(const SignKey *key, const void *bytes, size_t n, uint8_t *ret_signature, Error *err);
/** sign_is_good() - is it this key's signature of these bytes */
bool sign_is_good(const SignKey *key, const void *bytes, size_t n, const uint8_t *signature);
