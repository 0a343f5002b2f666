/*
 * receipt: a receipt, as a file that a stranger gave; signed by a key that is in none of them, so nothing may be
 * found good.
 */
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "cli/receipt/check.h"
#include "tests/fuzz/fuzz.h"

static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                          "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
                          "-----END PUBLIC KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        autofree char *text = malloc(n + 1);
        Keys keys = { 0 };
        Error err = ERROR_EMPTY;
        Check check;

        if (!text || sign_key_read_public(pem, strlen(pem), &keys.items[0], &err) < 0)
                abort();
        keys.n = 1;
        memcpy(text, data, n);
        text[n] = 0;
        check_init(&check, &keys);
        if (check_text(&check, text, n, &err) >= 0 || !err.text[0] || check.at > n + 1)
                abort();
        check_deinit(&check);
        keys_deinit(&keys);
        return 0;
}
