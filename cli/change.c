/*
 * change: see change.h. The process that wrote the answer has read a hostile patch, so of what stands there
 * every number is checked against the size of the answer before it is used.
 */
#include "cli/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"
#include "base/record.h"

void changes_deinit(Changes *changes) {
        for (unsigned i = 0; i < changes->n; i++)
                free(changes->items[i].path);
        free(changes->items);
        owned_close(&changes->fd);
        *changes = CHANGES_EMPTY;
}

static int is_wrong(Error *err, const char *what) {
        return error_say(err, -EPROTO, "What warder-files says of the patch is wrong: %s.", what);
}

static int read_at(int fd, void *bytes, size_t n, uint64_t at) {
        ssize_t got;

        do
                got = pread(fd, bytes, n, (off_t) at);
        while (got < 0 && errno == EINTR);
        return got == (ssize_t) n ? 0 : -EPROTO;
}

static int add_item(Changes *changes, const Change *item_consume) {
        if ((changes->n & (changes->n + 1)) == 0) { /* full at 0, 1, 3, 7 …: room doubles */
                Change *more =
                        reallocarray(changes->items, 2 * (size_t) changes->n + 1, sizeof(*more));

                if (!more) {
                        free(item_consume->path);
                        return -ENOMEM;
                }
                changes->items = more;
        }
        changes->items[changes->n++] = *item_consume;
        return 0;
}

static bool is_sound(const RecordHead *head, uint64_t at, uint64_t end) {
        return head->kind == RECORD_CHANGE && head->flags >= PATH_ADDED &&
               head->flags <= PATH_DELETED && head->size > 0 && head->size <= RECORD_DATA_MAX &&
               head->size <= end - at && head->b <= end - at - head->size && head->a <= 0177777;
}

static int read_one(Changes *changes, uint64_t *at, uint64_t end, Error *err) {
        static const ChangeKind kinds[] = { [PATH_ADDED] = CHANGE_ADDED,
                                            [PATH_MODIFIED] = CHANGE_MODIFIED,
                                            [PATH_DELETED] = CHANGE_DELETED };
        RecordHead head;
        Change item;

        if (end - *at < sizeof(head) || read_at(changes->fd, &head, sizeof(head), *at) < 0)
                return is_wrong(err, "a record is cut");
        *at += sizeof(head);
        if (!is_sound(&head, *at, end) || changes->n >= CHANGE_ITEMS_MAX)
                return is_wrong(err, "a record cannot be");
        item = (Change){ .path = calloc(1, head.size + 1u),
                         .kind = kinds[head.flags],
                         .mode = (uint32_t) head.a,
                         .at = *at + head.size,
                         .n = head.b };
        if (!item.path)
                return error_set(err, -ENOMEM, "read what the patch does");
        if (read_at(changes->fd, item.path, head.size, *at) < 0 || strlen(item.path) != head.size) {
                free(item.path);
                return is_wrong(err, "a name has a zero byte");
        }
        *at = item.at + item.n;
        return add_item(changes, &item) < 0 ? error_set(err, -ENOMEM, "read what the patch does")
                                            : 0;
}

int changes_read(int fd, Changes *ret, Error *err) {
        Changes changes = { .fd = fd };
        struct stat st;
        uint64_t at = 0;
        int r = fstat(fd, &st) < 0 ? error_set(err, -errno, "look at the answer") : 0;

        while (r == 0 && at < (uint64_t) st.st_size)
                r = read_one(&changes, &at, (uint64_t) st.st_size, err);
        if (r < 0) {
                changes_deinit(&changes);
                return r;
        }
        *ret = changes;
        return 0;
}

int changes_ask(Link *link, int fd, bool base, Changes *ret, Error *err) {
        Ask ask = {
                .method = "patch.read", .params = cJSON_CreateObject(), .fds = { fd }, .n_fds = 1
        };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_bool(ask.params, "base", base);
        r = link_ask(link, &ask, &answer, err);
        if (r == 0 && answer.message.n_fds != 1)
                r = error_say(err, -EPROTO, "The supervisor passed no answer.");
        if (r == 0)
                r = changes_read(TAKE_FD(answer.message.fds[0]), ret, err);
        answer_deinit(&answer);
        return r;
}

const Change *changes_find(const Changes *changes, const char *path) {
        for (unsigned i = 0; i < changes->n; i++)
                if (strcmp(changes->items[i].path, path) == 0)
                        return &changes->items[i];
        return NULL;
}
