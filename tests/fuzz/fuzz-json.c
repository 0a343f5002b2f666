/* json: what is accepted prints, and what was printed is accepted and prints the same. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void must(int good) {
        if (!good)
                abort();
}

static void round_trip(const cJSON *json) {
        SCOPED(json_free) cJSON *again = NULL;
        autofree char *first = json_print(json);
        autofree char *second = NULL;

        must(first != NULL);
        must(json_parse(first, strlen(first), 0, &again, NULL) == 0);
        second = json_print(again);
        must(second && strcmp(first, second) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        SCOPED(json_free) cJSON *strict = NULL;
        SCOPED(json_free) cJSON *commented = NULL;
        Error err = ERROR_EMPTY;
        uint64_t value;
        int r;

        r = json_parse((const char *) data, n, 0, &strict, &err);
        must(r == 0 || (r == -EINVAL && err.text[0] && !strict));
        if (r == 0) {
                round_trip(strict);
                (void) json_number(strict, "n", &value);
                (void) json_at(strict, "/a/0/b~1c");
                must(json_parse((const char *) data, n, JSON_COMMENTS, &commented, NULL) == 0);
                return 0;
        }
        if (json_parse((const char *) data, n, JSON_COMMENTS, &commented, &err) == 0)
                round_trip(commented);
        return 0;
}
