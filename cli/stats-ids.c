/*
 * stats-ids: see stats-ids.h.
 */
#include "cli/stats-ids.h"

#include <errno.h>
#include <string.h>

static int find_id(Link *link, const char *word, char ret[ID_MAX], Error *err) {
        Ask ask = { .method = "jail.stats", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        const char *id;
        int r;

        json_add_text(ask.params, "jail", word);
        r = link_ask(link, &ask, &answer, err);
        if (r == 0) {
                id = json_text(cJSON_GetArrayItem(json_get(answer.result, "stats"), 0), "jail");
                if (id && id_is_valid('j', id))
                        memcpy(ret, id, strlen(id) + 1);
                else
                        r = error_say(err, -EPROTO, "the supervisor told nothing of %.60s", word);
        }
        answer_deinit(&answer);
        return r;
}

int stats_ids_find(Link *link, char *const *words, size_t n, char (*ret_ids)[ID_MAX], Error *err) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = find_id(link, words[i], ret_ids[i], err);
        return r;
}
