/*
 * blob-id: see blob-id.h. By libcrypto: libgit2 would say the same, but its start reads the host's certificates, which
 * costs more than to apply a patch. SHA-1 because git's patches name files so; nothing is trusted for its sake. The
 * older of libcrypto's two ways, for the reason that base/digest.c gives.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sandbox/files/blob-id.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>

int blob_id(const void *bytes, size_t n, char *ret_text, Error *err) {
        SHA_CTX context;
        unsigned char value[SHA_DIGEST_LENGTH];
        char head[32];
        int length = snprintf(head, sizeof(head), "blob %zu", n) + 1; /* with its zero byte */

        if (SHA1_Init(&context) != 1 || SHA1_Update(&context, head, (size_t) length) != 1 ||
            (n > 0 && SHA1_Update(&context, bytes, n) != 1) || SHA1_Final(value, &context) != 1)
                return error_say(err, -EIO,
                                 "libcrypto gives no SHA-1: a file's content has no name");
        for (unsigned i = 0; i < sizeof(value) && 2 * i + 3 <= BLOB_ID_TEXT_MAX; i++)
                (void) snprintf(ret_text + 2 * i, 3, "%02x", value[i]);
        return 0;
}
