/* capture: who follows an output sets the command's pace only where that was asked for. */
#include "sandbox/init/capture.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/tap.h"

#define KEPT    4096u
#define PIPEFUL (1u << 20) /* more than a follower's pipe takes */

/* Until @n bytes more have been seen, or the capture takes none. Returns: how many */
static uint64_t feed(Capture *capture, int fd, uint64_t n) {
        static const char bytes[4096];
        uint64_t before = capture->seen, last;

        do {
                last = capture->seen;
                if (write(fd, bytes, sizeof(bytes)) < 0)
                        break;
                (void) capture_read(capture, sizeof(bytes));
        } while (capture->seen > last && capture->seen - before < n);
        return capture->seen - before;
}

static int start(Capture *capture) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -EBADF;
        capture_start(capture, ends[0], KEPT);
        return ends[1];
}

static void end(Capture *capture) {
        uint64_t kept, cut_at;
        autoclose int fd = capture_end(capture, &kept, &cut_at);

        ok(fd >= 0, "what was kept is handed over");
}

static void pace(void) {
        Capture capture = CAPTURE_EMPTY;
        autoclose int fd = start(&capture), terminal = capture_follow(&capture, true);

        ok(feed(&capture, fd, PIPEFUL) < PIPEFUL, "the command waits for who sets the pace");
        capture_hurry(&capture);
        ok(feed(&capture, fd, PIPEFUL) >= PIPEFUL, "but not for its last words");
        end(&capture);
}

static void place_taken_again(void) {
        Capture capture = CAPTURE_EMPTY;
        autoclose int fd = start(&capture);
        int terminal = capture_follow(&capture, true);

        fds_close(&terminal, 1);
        autoclose int other = capture_follow(&capture, false);

        ok(other >= 0 && feed(&capture, fd, PIPEFUL) >= PIPEFUL,
           "who follows in the place of one that left does not set its pace");
        autoclose int again = capture_follow(&capture, true);

        ok(again >= 0 && feed(&capture, fd, PIPEFUL) < PIPEFUL, "who comes back to it does");
        end(&capture);
}

static void beside(void) {
        Capture capture = CAPTURE_EMPTY;
        autoclose int fd = start(&capture), terminal = capture_follow(&capture, true);
        autoclose int other = capture_follow(&capture, false);

        ok(terminal >= 0 && other >= 0 && feed(&capture, fd, PIPEFUL) < PIPEFUL,
           "one that comes beside it takes no pace away");
        end(&capture);
}

int main(void) {
        pace();
        place_taken_again();
        beside();
        return tap_end();
}
