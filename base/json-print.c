/*
 * json-print: see json-print.h.
 */
#include "base/json-print.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define TEXT_MAX    (SIZE_MAX / 8)
#define INTEGER_MAX 9007199254740992.0 /* 2^53 */
#define NUMBER_TEXT 40

static int print_value(Buf *out, const cJSON *json);

static int put(Buf *out, const char *text) {
        return buf_append(out, text, strlen(text));
}

static int print_number(Buf *out, double value) {
        char text[NUMBER_TEXT];

        if (!isfinite(value))
                return put(out, "null");
        if (fabs(value) <= INTEGER_MAX && !(value < floor(value) || value > floor(value))) {
                (void) snprintf(text, sizeof(text), "%lld", (long long) value);
                return put(out, text);
        }
        (void) snprintf(text, sizeof(text), "%.15g", value);
        if (strtod(text, NULL) < value || strtod(text, NULL) > value)
                (void) snprintf(text, sizeof(text), "%.17g", value);
        return put(out, text);
}

/* The two-character escape of @c, 0 where it has none. */
static char short_escape(char c) {
        static const char plain[] = "\"\\\b\f\n\r\t";
        static const char escaped[] = "\"\\bfnrt";
        const char *at = c ? strchr(plain, c) : NULL;

        return at ? escaped[at - plain] : 0;
}

static int print_text(Buf *out, const char *text) {
        int r = put(out, "\"");

        while (r == 0 && *text) {
                size_t n = 0;

                while (text[n] && (unsigned char) text[n] >= 0x20 && !short_escape(text[n]))
                        n++;
                r = buf_append(out, text, n);
                text += n;
                if (r < 0 || !*text)
                        break;
                if (short_escape(*text))
                        r = buf_printf(out, "\\%c", short_escape(*text));
                else
                        r = buf_printf(out, "\\u%04x", (unsigned) (unsigned char) *text);
                text++;
        }
        return r < 0 ? r : put(out, "\"");
}

static int print_children(Buf *out, const cJSON *json) {
        const char *ends = cJSON_IsObject(json) ? "{}" : "[]";
        int r = buf_append(out, ends, 1);
        const cJSON *item;

        cJSON_ArrayForEach(item, json) {
                if (r == 0 && item != json->child)
                        r = put(out, ",");
                if (r == 0 && cJSON_IsObject(json)) {
                        r = print_text(out, item->string);
                        if (r == 0)
                                r = put(out, ":");
                }
                if (r == 0)
                        r = print_value(out, item);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : buf_append(out, ends + 1, 1);
}

static int print_value(Buf *out, const cJSON *json) {
        if (cJSON_IsObject(json) || cJSON_IsArray(json))
                return print_children(out, json);
        if (cJSON_IsString(json))
                return print_text(out, json->valuestring);
        if (cJSON_IsNumber(json))
                return print_number(out, json->valuedouble);
        if (cJSON_IsBool(json))
                return put(out, cJSON_IsTrue(json) ? "true" : "false");
        return cJSON_IsNull(json) ? put(out, "null") : -EINVAL;
}

char *json_print(const cJSON *json) {
        autobuf Buf out = BUF_EMPTY(TEXT_MAX);

        return json && print_value(&out, json) == 0 ? buf_take(&out) : NULL;
}
