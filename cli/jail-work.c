/*
 * jail-work: see jail-work.h.
 */
#include "cli/jail-work.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/consent.h"

int jail_work_bring(Link *link, const char *jail, const char *path, cJSON *params, int *ret_fd,
                    Error *err) {
        Ask ask = { .method = "jail.show", .params = cJSON_CreateObject() };
        const char *where = path ? path : ".", *word;
        Answer answer = ANSWER_EMPTY;
        autoclose int fd = -EBADF;
        bool is_dir;
        int r;

        json_add_text(ask.params, "jail", jail);
        r = link_ask(link, &ask, &answer, err);
        word = r == 0 ? json_text(answer.result, "work") : NULL;
        is_dir = word && strcmp(word, "directory") == 0;
        answer_deinit(&answer);
        *ret_fd = -EBADF;
        if (r != 0 || !is_dir)
                return r;
        fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open %s", where);
        r = consent_give(rpc_peer_fd(link->peer), fd, false, err);
        if (r < 0)
                return r;
        json_add_bool(params, "work", true);
        *ret_fd = TAKE_FD(fd);
        return 0;
}
