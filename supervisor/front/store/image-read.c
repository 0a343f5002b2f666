/* image-read: see image-read.h. */
#include "supervisor/front/store/image-read.h"

#include <errno.h>
#include <string.h>

#include "base/schema.h"

int image_parse(const char *text, size_t n, const char *schema, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *rules = NULL;
        SCOPED(json_free) cJSON *json = NULL;
        SchemaFault fault;
        int r = json_parse(schema, strlen(schema), 0, &rules, err);

        if (r >= 0)
                r = json_parse(text, n, 0, &json, err);
        if (r < 0)
                return r;
        r = schema_check(rules, json, &fault);
        if (r < 0)
                return error_say(err, r, "%.100s: %.200s", *fault.path ? fault.path : "the whole",
                                 fault.text);
        *ret = TAKE_PTR(json);
        return 0;
}

const char *image_arch(void) {
#if defined(__x86_64__)
        return "amd64";
#elif defined(__aarch64__)
        return "arm64";
#else
        return "unknown";
#endif
}
