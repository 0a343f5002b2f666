/*
 * envelope: see envelope.h. The signature is checked before a byte of the payload is read as JSON.
 */
#include "cli/receipt/envelope.h"

#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/fds.h"
#include "base/statement.h"

int keys_add(Keys *keys, const char *path, Error *err) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        if (fd < 0)
                return error_set(err, -errno, "open the key");
        if (keys->n == KEYS_MAX)
                return error_say(err, -E2BIG, "there are more than %d keys", KEYS_MAX);
        r = fd_read_all(fd, 4096, &text, &n);
        if (r < 0)
                return error_set(err, r, "read the key");
        r = sign_key_read_public(text, n, &keys->items[keys->n], err);
        if (r == 0)
                keys->n++;
        return r;
}

void keys_deinit(Keys *keys) {
        while (keys->n > 0)
                sign_key_free(keys->items[--keys->n]);
}

static const SignKey *find_key(const Keys *keys, const char *name) {
        char own[DIGEST_TEXT_MAX];

        for (unsigned i = 0; i < keys->n; i++)
                if (sign_key_name(keys->items[i], own, NULL) == 0 && strcmp(own, name) == 0)
                        return keys->items[i];
        return NULL;
}

static int decode(const char *text, void *bytes, size_t max, size_t *ret_n) {
        return text ? base64_parse(text, strlen(text), bytes, max, ret_n) : -EINVAL;
}

static int check(const Keys *keys, const char *name, const Buf *signed_bytes,
                 const uint8_t *signature, Error *err) {
        const SignKey *key = find_key(keys, name);

        if (!key)
                return error_say(err, -ENOKEY,
                                 keys->n == 0 ? "it is signed by %s, and no key was given to check "
                                                "that with"
                                              : "it is signed by %s, which is none of the keys "
                                                "that were given",
                                 name);
        if (!sign_is_good(key, signed_bytes->data, signed_bytes->len, signature))
                return error_say(err, -EBADMSG, "the signature is not one of %s", name);
        return 0;
}

int envelope_open(const Keys *keys, const cJSON *json, cJSON **ret, Error *err) {
        const cJSON *signatures = json_get(json, "signatures"), *first = NULL;
        const char *type = json_text(json, "payloadType"), *name;
        autobuf Buf signed_bytes = BUF_EMPTY(4 * STATEMENT_TEXT_MAX);
        char payload[STATEMENT_TEXT_MAX];
        uint8_t signature[SIGNATURE_SIZE];
        size_t n = 0, n_signature = 0;
        int r;

        if (cJSON_GetArraySize(signatures) == 1)
                first = cJSON_GetArrayItem(signatures, 0);
        name = json_text(first, "keyid");
        if (!name || !type || strcmp(type, ENVELOPE_TYPE) != 0 ||
            decode(json_text(json, "payload"), payload, sizeof(payload) - 1, &n) < 0 ||
            decode(json_text(first, "sig"), signature, sizeof(signature), &n_signature) < 0 ||
            n_signature != SIGNATURE_SIZE)
                return error_say(err, -EINVAL, "this is no signature of a receipt");
        r = statement_signed_bytes(payload, n, &signed_bytes);
        if (r < 0)
                return error_set(err, r, "check a signature");
        r = check(keys, name, &signed_bytes, signature, err);
        return r < 0 ? r : json_parse(payload, n, 0, ret, err);
}
