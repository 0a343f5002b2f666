/* feed: see feed.h. */
#include "supervisor/front/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

#define CHUNK 65536

struct Feed {
        int to, from; /* owned; both are closed when all is written, or the reader has gone */
        off_t at;
        bool failed;
        sd_event_source *writable; /* owned */
        char chunk[CHUNK];
};

Feed *feed_free(Feed *feed) {
        if (!feed)
                return NULL;
        sd_event_source_disable_unref(feed->writable);
        fds_close(&feed->to, 1);
        fds_close(&feed->from, 1);
        free(feed);
        return NULL;
}
DEFINE_SCOPED(Feed *, feed_free);

/* Returns: 1 more is to come, 0 the end, negative errno: -EAGAIN where the pipe is full */
static int pass_on(Feed *feed) {
        ssize_t n = pread(feed->from, feed->chunk, CHUNK, feed->at);

        feed->failed = n < 0 && errno != EINTR;
        if (n > 0)
                n = write(feed->to, feed->chunk, (size_t) n);
        if (n < 0)
                return -errno;
        feed->at += n;
        return n > 0;
}

bool feed_is_over(const Feed *feed) {
        return feed->to < 0;
}

bool feed_failed(const Feed *feed) {
        return feed->failed;
}

static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Feed *feed = userdata;
        int r;

        (void) fd;
        (void) revents;
        do
                r = pass_on(feed);
        while (r > 0 || r == -EINTR);
        if (r == -EAGAIN)
                return 0;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        fds_close(&feed->to, 1);
        fds_close(&feed->from, 1);
        return 0;
}

int feed_start(sd_event *event, int *to, int from, Feed **ret, Error *err) {
        SCOPED(feed_free) Feed *feed = malloc(sizeof(*feed));
        int r;

        if (!feed)
                return error_set(err, -ENOMEM, "hand a file over");
        feed->at = 0;
        feed->failed = false;
        feed->to = -EBADF;
        feed->writable = NULL;
        feed->from = fcntl(from, F_DUPFD_CLOEXEC, 3);
        if (feed->from < 0)
                return error_set(err, -errno, "keep a file that is handed over");
        r = fd_set_nonblock(*to, true);
        if (r >= 0)
                r = sd_event_add_io(event, &feed->writable, *to, EPOLLOUT, on_writable, feed);
        if (r < 0)
                return error_set(err, r, "hand a file over");
        feed->to = TAKE_FD(*to);
        *ret = TAKE_PTR(feed);
        return 0;
}
