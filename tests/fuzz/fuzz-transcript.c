/*
 * transcript: a recorded model, as a file that a stranger gave.
 */
#include <stdlib.h>

#include "agent/model/replay.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        Provider *provider = NULL;
        Error err = ERROR_EMPTY;

        if (replay_new_text((const char *) data, n, &provider, &err) < 0) {
                if (!err.text[0] || provider)
                        abort();
                return 0;
        }
        provider_free(provider);
        return 0;
}
