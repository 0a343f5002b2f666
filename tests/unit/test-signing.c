/*
 * base64 (vectors of RFC 4648), Ed25519 (a vector of RFC 8032) and the statement about a receipt.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/owned.h"
#include "base/statement.h"
#include "tests/tap.h"

static void base64(void) {
        static const char *const rows[][2] = {
                { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
                { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "foobar", "Zm9vYmFy" }
        };
        static const char *const wrong[] = { "Zg",   "Zg=",      "Zh==",  "Zg==Zg==", "Z===",
                                             "====", "Zm9v\n",   "Zm 9v", "Zm9",      "Zm9_",
                                             "=Zg=", "Zm9vYh==", "Z=g=" };
        char text[32];
        size_t n = 0;

        for (unsigned i = 0; i < ELEMENTS(rows); i++) {
                char back[16] = "";

                is_text(base64_format(rows[i][0], strlen(rows[i][0]), text), rows[i][1],
                        rows[i][0]);
                ok(base64_parse(text, strlen(text), back, sizeof back, &n) == 0 &&
                           n == strlen(rows[i][0]) && memcmp(back, rows[i][0], n) == 0,
                   "and back");
        }
        for (unsigned i = 0; i < ELEMENTS(wrong); i++)
                is_number(base64_parse(wrong[i], strlen(wrong[i]), text, sizeof text, &n), -EINVAL,
                          wrong[i]);
        is_number(base64_parse("Zm9v", 4, text, 2, &n), -E2BIG, "more than there is room for");
}

/* RFC 8032, section 7.1, test 2: the key pair of 4ccd089b..., message 72 */
static const char known_key[] = "-----BEGIN PRIVATE KEY-----\n"
                                "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
                                "-----END PRIVATE KEY-----\n";
static const uint8_t known_signature[SIGNATURE_SIZE] = {
        0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
        0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
        0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
        0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
        0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00,
};

static void known(void) {
        SCOPED(sign_key_free) SignKey *key = NULL;
        uint8_t signature[SIGNATURE_SIZE];
        Error err = ERROR_EMPTY;

        is_number(sign_key_read(known_key, strlen(known_key), &key, &err), 0, "a key of RFC 8032");
        is_number(sign_bytes(key, "\x72", 1, signature, &err), 0, "signs");
        ok(memcmp(signature, known_signature, sizeof signature) == 0, "as the RFC says");
        ok(sign_is_good(key, "\x72", 1, signature), "which is good");
        ok(!sign_is_good(key, "\x73", 1, signature), "for this message alone");
        signature[10] ^= 1;
        ok(!sign_is_good(key, "\x72", 1, signature), "a changed one is not");
}

static void keys(void) {
        SCOPED(sign_key_free) SignKey *key = NULL;
        SCOPED(sign_key_free) SignKey *again = NULL;
        SCOPED(sign_key_free) SignKey *public = NULL;
        SCOPED(sign_key_free) SignKey *none = NULL;
        char text[SIGN_PEM_MAX], name[DIGEST_TEXT_MAX], other[DIGEST_TEXT_MAX];
        uint8_t signature[SIGNATURE_SIZE];
        Error err = ERROR_EMPTY;

        is_number(sign_key_make(&key, &err), 0, "a new key");
        ok(sign_key_text(key, text, &err) == 0 &&
                   sign_key_read(text, strlen(text), &again, &err) == 0,
           "is read from its own text");
        ok(sign_key_public_text(key, text, &err) == 0 &&
                   sign_key_read_public(text, strlen(text), &public, &err) == 0,
           "and so is its public half");
        ok(sign_bytes(again, "a", 1, signature, &err) == 0 &&
                   sign_is_good(public, "a", 1, signature),
           "which knows its signature");
        ok(sign_key_name(key, name, &err) == 0 && sign_key_name(public, other, &err) == 0, "both");
        is_text(name, other, "have one name");
        ok(sign_key_read(text, strlen(text), &none, &err) < 0, "a public key is no private one");
        ok(sign_key_read_public("", 0, &none, &err) < 0, "nothing is no key");
        ok(sign_key_read_public(known_key, strlen(known_key), &none, &err) < 0,
           "a private key is no public one");
}

static void statement(void) {
        Statement one = { .subject = "t-7f3kq2m4ab",
                          .state = "verified",
                          .verdict = "passed",
                          .lines = 13,
                          .anchor = 5,
                          .time_usec = 1767607872345000,
                          .present = BIT(STATEMENT_PATCH) | BIT(STATEMENT_TREE) };
        char text[STATEMENT_TEXT_MAX];

        ok(statement_text(&one, text) > 0, "a statement");
        has_text(text,
                 "{\"_type\":\"https://in-toto.io/Statement/"
                 "v1\",\"predicate\":{\"anchor\":5,\"head\":\"sha256:0",
                 "begins as in-toto says");
        has_text(text, "\"patch\":\"sha256:00", "has a patch");
        has_text(text,
                 "\"state\":\"verified\",\"subject\":\"t-7f3kq2m4ab\",\"time\":\"2026-01-05T10:11:"
                 "12.345Z\",\"tree\":",
                 "members are sorted");
        has_text(text, "\"subject\":[{\"digest\":{\"sha256\":\"00", "and the patch is its subject");
        one.present = BIT(_STATEMENT_DIGEST_MAX) - 1;
        memset(one.verdict, 'a', STATEMENT_WORD_MAX - 1);
        memset(one.state, 'a', STATEMENT_WORD_MAX - 1);
        one.lines = one.anchor = UINT64_MAX;
        ok(statement_text(&one, text) > 0, "the longest one fits");
        one.subject[0] = 'j';
        is_number(statement_text(&one, text), -EINVAL, "one of a jail there is not");
}

int main(void) {
        base64();
        known();
        keys();
        statement();
        return tap_end();
}
