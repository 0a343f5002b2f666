/*
 * jail-work: see jail-work.h.
 */
#include "cli/jail-work.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/consent.h"

/* @ret_fd: owned by the caller; -EBADF: none is needed */
static int bring(Link *link, const char *jail, const char *path, cJSON *params, int *ret_fd,
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

static int ask_with(Link *link, const VerbCall *call, const char *path, Ask *ask, JailWorkFn go,
                    Error *err) {
        autoclose int work = -EBADF;
        int r;

        json_add_text(ask->params, "jail", call->words[0]);
        r = bring(link, call->words[0], path, ask->params, &work, err);
        if (r != 0)
                return r;
        if (work >= 0)
                ask->fds[ask->n_fds++] = work;
        return go(link, call, ask, err);
}

int jail_work_ask(const VerbCall *call, const char *path, Ask *ask, JailWorkFn go, Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        int r = link_open(&link, common->socket, err);

        if (r == 0)
                r = ask_with(&link, call, path, ask, go, err);
        link_deinit(&link);
        ask->params = json_free(ask->params); /* where it was not asked */
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}
