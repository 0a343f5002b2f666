/* schema: the first line is a schema, the rest a value. Any pair must end, with a fault that has a text. */
#include "base/schema.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        SCOPED(json_free) cJSON *schema = NULL;
        SCOPED(json_free) cJSON *value = NULL;
        const char *text = (const char *) data;
        const char *end = n > 0 ? memchr(text, '\n', n) : NULL;
        SchemaFault fault = { .path = "" };
        size_t first;
        int r;

        if (!end)
                return 0;
        first = (size_t) (end - text);
        if (json_parse(text, first, 0, &schema, NULL) < 0 ||
            json_parse(end + 1, n - first - 1, 0, &value, NULL) < 0)
                return 0;
        r = schema_check(schema, value, &fault);
        if (r != 0 && r != -EINVAL && r != -ENOTSUP)
                abort();
        if (r != 0 && !fault.text[0])
                abort();
        return 0;
}
