/* seccomp-numbers: see seccomp-numbers.h. */
#include "supervisor/front/policy/seccomp-numbers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"

#define LONG_DIGITS 16 /* 2^53 has 16 digits */

/* The end of a string or comment that begins at @at; @at itself where none does. */
static const char *skip_text(const char *at, const char *end) {
        const char *stop;

        if (*at == '"') {
                for (at++; at < end && *at != '"'; at++)
                        if (*at == '\\')
                                at++;
                return at < end ? at + 1 : end;
        }
        if (*at != '/' || end - at < 2 || (at[1] != '/' && at[1] != '*'))
                return at;
        if (at[1] == '/')
                stop = memchr(at, '\n', (size_t) (end - at));
        else
                stop = memmem(at + 2, (size_t) (end - at) - 2, "*/", 2);
        if (!stop)
                return end;
        return at[1] == '/' ? stop : stop + 2;
}

/* The end of the number at @at: what may stand in one. */
static const char *skip_number(const char *at, const char *end) {
        while (at < end && (isalnum((unsigned char) *at) || strchr("+-.", *at)) && *at)
                at++;
        return at;
}

static bool is_long(const char *at, const char *end) {
        size_t n = 0;

        for (; at < end; at++, n++)
                if (!isdigit((unsigned char) *at))
                        return false;
        return n >= LONG_DIGITS;
}

static char *copy(char *to, const char *from, const char *end) {
        memcpy(to, from, (size_t) (end - from));
        return to + (end - from);
}

int seccomp_numbers_quote(const char *text, size_t n, char **ret, size_t *ret_n, Error *err) {
        char *out = malloc(n + 2 * (n / LONG_DIGITS) + 1), *to = out;
        const char *at = text, *end = text + n, *next;

        if (!out)
                return error_set(err, -ENOMEM, "read a seccomp profile");
        for (; at < end; at = next) {
                next = skip_text(at, end);
                if (next == at && isdigit((unsigned char) *at)) {
                        next = skip_number(at, end);
                        if (is_long(at, next)) {
                                *to++ = '"';
                                to = copy(to, at, next);
                                *to++ = '"';
                                continue;
                        }
                }
                if (next == at)
                        next = at + 1;
                to = copy(to, at, next);
        }
        *to = 0;
        *ret = out;
        *ret_n = (size_t) (to - out);
        return 0;
}

static int get_text(const char *text, uint64_t *ret) {
        uint64_t value = 0;

        for (; isdigit((unsigned char) *text); text++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*text - '0'), &value))
                        return -EINVAL;
        if (*text)
                return -EINVAL;
        *ret = value;
        return 0;
}

int seccomp_numbers_get(const cJSON *object, const char *name, uint64_t *ret) {
        const cJSON *item = json_get(object, name);
        double value = cJSON_IsNumber(item) ? item->valuedouble : 0;

        if (!item || cJSON_IsNull(item))
                return -ENOENT;
        if (cJSON_IsString(item) && *item->valuestring)
                return get_text(item->valuestring, ret);
        if (cJSON_IsNumber(item) && value < 0) {
                if (value < -9007199254740992.0 || (double) (int64_t) value != value)
                        return -EINVAL;
                *ret = (uint64_t) (int64_t) value;
                return 0;
        }
        return json_number(object, name, ret);
}
