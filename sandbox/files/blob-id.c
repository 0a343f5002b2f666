/*
 * blob-id: see blob-id.h. By libcrypto: libgit2 would say the same, but its start reads the host's certificates, which
 * costs more than to apply a patch. SHA-1 because git's patches name files so; nothing is trusted for its sake.
 */
#include "sandbox/files/blob-id.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/owned.h"

DEFINE_SCOPED(EVP_MD_CTX *, EVP_MD_CTX_free);

int blob_id(const void *bytes, size_t n, char *ret_text, Error *err) {
        SCOPED(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char value[EVP_MAX_MD_SIZE];
        char head[32];
        int length = snprintf(head, sizeof(head), "blob %zu", n) + 1; /* with its zero byte */
        unsigned size = 0;

        if (!context || EVP_DigestInit_ex(context, EVP_sha1(), NULL) != 1 ||
            EVP_DigestUpdate(context, head, (size_t) length) != 1 ||
            (n > 0 && EVP_DigestUpdate(context, bytes, n) != 1) ||
            EVP_DigestFinal_ex(context, value, &size) != 1)
                return error_say(err, -EIO,
                                 "libcrypto gives no SHA-1: a file's content has no name");
        for (unsigned i = 0; i < size && 2 * i + 3 <= BLOB_ID_TEXT_MAX; i++)
                (void) snprintf(ret_text + 2 * i, 3, "%02x", value[i]);
        return 0;
}
