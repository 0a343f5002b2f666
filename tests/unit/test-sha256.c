/* sha256: against the vectors of FIPS 180-4 and against libcrypto */
#include "base/sha256.h"

#include <stdlib.h>

#include "base/digest.h"
#include "tests/tap.h"

static void test_vectors(void) {
        static const struct {
                const char *text, *value;
        } rows[] = {
                { "", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
                { "abc",
                  "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
                { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        };
        char text[SHA256_TEXT_MAX];

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                is_text(sha256_text(rows[i].text, strlen(rows[i].text), text), rows[i].value,
                        rows[i].text);
        is_text(sha256_base64("abc", 3, text),
                "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "in base 64");
}

static void test_lengths(void) {
        static uint8_t bytes[1000];
        uint8_t ours[SHA256_SIZE], theirs[DIGEST_SIZE];
        bool same = true;

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t) (i * 167 + i / 7);
        for (size_t n = 0; n <= sizeof(bytes); n++) {
                sha256_of(bytes, n, ours);
                digest_of(bytes, n, theirs);
                same = same && memcmp(ours, theirs, sizeof(ours)) == 0;
        }
        ok(same, "every length up to 1000 as libcrypto has it");
}

int main(void) {
        test_vectors();
        test_lengths();
        return tap_end();
}
