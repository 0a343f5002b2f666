/*
 * receipt-fetch: see receipt-fetch.h.
 */
#include "cli/receipt-fetch.h"

#include <errno.h>

#include "base/owned.h"
#include "cli/terminal.h"

static int take(Answer *answer, int *ret_fd, cJSON **ret_info, Error *err) {
        cJSON *info;

        if (answer->message.n_fds != 1)
                return error_say(err, -EPROTO, "The supervisor passed no receipt.");
        info = ret_info ? cJSON_Duplicate(answer->result, true) : NULL;
        if (ret_info && !info)
                return error_set(err, -ENOMEM, "take in the receipt");
        if (ret_info)
                *ret_info = info;
        *ret_fd = TAKE_FD(answer->message.fds[0]);
        return 0;
}

int receipt_fetch(Link *link, const char *id, int *ret_fd, cJSON **ret_info, Error *err) {
        Ask ask = { .method = "task.receipt", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "task", id);
        r = link_ask(link, &ask, &answer, err);
        if (r == 0)
                r = take(&answer, ret_fd, ret_info, err);
        answer_deinit(&answer);
        return r > 0 ? -EREMOTEIO : r;
}

void receipt_fetch_beside(Link *link, const char *id, int *ret_fd) {
        Error err = ERROR_EMPTY;

        if (receipt_fetch(link, id, ret_fd, NULL, &err) != 0)
                terminal_say("%s The verdict is written without it.", err.text);
}
