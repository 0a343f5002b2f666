/* retry: what Retry-After says, and how long to wait where it says nothing. */
#include "base/retry.h"

#include <errno.h>

#include "base/owned.h"
#include "tests/tap.h"

#define SECOND UINT64_C(1000000)

static void statuses(void) {
        static const long yes[] = { 408, 409, 425, 429, 500, 502, 503, 504, 529, 599 };
        static const long no[] = { 0, 200, 302, 400, 401, 403, 404, 413, 422, 501, 505, 600 };

        for (unsigned i = 0; i < ELEMENTS(yes); i++)
                ok(retry_status(yes[i]), "%ld is worth another try", yes[i]);
        for (unsigned i = 0; i < ELEMENTS(no); i++)
                ok(!retry_status(no[i]), "%ld is not", no[i]);
}

static void headers(void) {
        static const char *const bad[] = { "",
                                           "soon",
                                           "-1",
                                           "1e9",
                                           "0x10",
                                           "1 second",
                                           "Sun, 06 Nov 1994 08:49:37",
                                           "99999999999999" };
        uint64_t usec = 7, then = UINT64_C(784111777) * SECOND; /* Sun, 06 Nov 1994 08:49:37 GMT */

        is_number(retry_after("30", 0, &usec), 0, "seconds");
        is_number(usec, 30 * SECOND, "as microseconds");
        is_number(retry_after("0.5", 0, &usec), 0, "a fraction");
        is_number(usec, SECOND / 2, "as microseconds");
        is_number(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then - 5 * SECOND, &usec), 0,
                  "a date");
        is_number(usec, 5 * SECOND, "is a wait until then");
        is_number(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then + 5 * SECOND, &usec), 0,
                  "a date that has passed");
        is_number(usec, 0, "is no wait");
        for (unsigned i = 0; i < ELEMENTS(bad); i++)
                is_number(retry_after(bad[i], 0, &usec), -EINVAL, bad[i]);
}

static void backoff(void) {
        static const uint64_t most[] = { SECOND / 2, SECOND,     2 * SECOND, 4 * SECOND,
                                         8 * SECOND, 8 * SECOND, 8 * SECOND };

        for (unsigned i = 0; i < ELEMENTS(most); i++) {
                uint64_t usec = retry_backoff(i);

                ok(usec <= most[i] && usec >= most[i] - most[i] / 4, "after %u tries", i + 1);
        }
        ok(retry_backoff(4000000000u) <= 8 * SECOND, "after very many");
}

int main(void) {
        statuses();
        headers();
        backoff();
        return tap_end();
}
