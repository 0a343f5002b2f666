/*
 * plain: an expression of a workflow, resolved without libjq over a small state.
 */
#include "agent/workflow/plain.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static const char state[] =
        "{\"input\":{\"a\":\"x\",\"b\":[1,2,{\"c\":null}]},\"steps\":{\"s\":{\"v\":"
        "\"passed\",\"n\":3,\"t\":true}},\"iteration\":2,\"item\":null}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        SCOPED(plain_free) Plain *plain = NULL;
        SCOPED(json_free) cJSON *values = NULL, *value = NULL;
        autofree char *text = strndup((const char *) data, n);
        Error err = ERROR_EMPTY;

        if (!text || json_parse(state, strlen(state), 0, &values, NULL) < 0)
                abort();
        if (plain_parse(text, &plain) != 0)
                return 0;
        if (plain_eval(plain, values, &value, &err) < 0 && !err.text[0])
                abort();
        return 0;
}
