/*
 * retry: see retry.h.
 */
#include "base/retry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define BACKOFF_FIRST_USEC UINT64_C(500000)
#define BACKOFF_MAX_USEC   UINT64_C(8000000)

bool retry_status(long status) {
        if (status == 501 || status == 505)
                return false;
        return status == 408 || status == 409 || status == 425 || status == 429 ||
               (status >= 500 && status <= 599);
}

static int after_seconds(const char *text, uint64_t *ret_usec) {
        char *end = NULL;
        double seconds;

        if (strspn(text, "0123456789.") != strlen(text))
                return -EINVAL;
        seconds = strtod(text, &end);
        if (end == text || *end || seconds > 1e9)
                return -EINVAL;
        *ret_usec = (uint64_t) (seconds * 1e6);
        return 0;
}

int retry_after(const char *text, uint64_t now_usec, uint64_t *ret_usec) {
        struct tm tm = { 0 };
        const char *end;
        time_t at;

        if (after_seconds(text, ret_usec) == 0)
                return 0;
        end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        if (!end || *end)
                return -EINVAL;
        at = timegm(&tm);
        if (at < 0)
                return -EINVAL;
        *ret_usec = (uint64_t) at * 1000000 > now_usec ? (uint64_t) at * 1000000 - now_usec : 0;
        return 0;
}

uint64_t retry_backoff(unsigned tries) {
        uint64_t usec = tries < 5 ? BACKOFF_FIRST_USEC << tries : BACKOFF_MAX_USEC;
        uint8_t chance = 0;

        if (usec > BACKOFF_MAX_USEC)
                usec = BACKOFF_MAX_USEC;
        if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
                chance = 0;
        return usec - usec / 4 * chance / 255;
}
