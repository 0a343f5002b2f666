/*
 * receipt-compare: see receipt-compare.h. Times, ids and what commands used differ always; what is listed here
 * must not.
 */
#include "cli/receipt-compare.h"

#include <errno.h>
#include <string.h>

static const struct {
        const char *kind; /* the last line of this kind */
        const char *members[8];
} compared[] = {
        { "begin", { "request", "spec", "snapshot", "policy", "workflow", "roles", NULL } },
        { "base", { "base", "setup", NULL } },
        { "verdict", { "verdict", "cause", "patch", "tree", NULL } },
        { "end", { "state", "cause", NULL } },
};

typedef struct Last {
        cJSON *lines[ELEMENTS(compared)]; /* owned */
} Last;

static void last_deinit(Last *last) {
        for (unsigned i = 0; i < ELEMENTS(compared); i++)
                json_free(last->lines[i]);
}

static int read_one(const char *line, size_t n, Last *last, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *kind;
        int r = json_parse(line, n, 0, &json, err);

        if (r < 0)
                return r;
        kind = json_text(json, "kind");
        for (unsigned i = 0; kind && i < ELEMENTS(compared); i++)
                if (strcmp(kind, compared[i].kind) == 0) {
                        json_free(last->lines[i]);
                        last->lines[i] = TAKE_PTR(json);
                        return 0;
                }
        return 0;
}

static int read_all(const char *text, Last *last, Error *err) {
        int r = 0;

        while (r == 0 && *text) {
                size_t n = strcspn(text, "\n");

                r = read_one(text, n, last, err);
                text += n + (text[n] == '\n');
        }
        return r;
}

static void add(cJSON *list, const char *what, const char *then, const char *now) {
        cJSON *json;

        if ((!then && !now) || (then && now && strcmp(then, now) == 0))
                return;
        json = json_push_consume(list, cJSON_CreateObject());
        json_add_text(json, "what", what);
        json_add_text(json, "then", then);
        json_add_text(json, "now", now);
}

int receipt_compare(const char *then, const char *now, cJSON **ret, Error *err) {
        Last old = { { NULL } }, new = { { NULL } };
        cJSON *list = cJSON_CreateArray();
        int r = read_all(then, &old, err);

        if (r == 0)
                r = read_all(now, &new, err);
        for (unsigned i = 0; r == 0 && i < ELEMENTS(compared); i++)
                for (const char *const *name = compared[i].members; *name; name++)
                        add(list, *name, json_text(json_get(old.lines[i], "data"), *name),
                            json_text(json_get(new.lines[i], "data"), *name));
        last_deinit(&old);
        last_deinit(&new);
        if (r < 0) {
                json_free(list);
                return error_add(err, r, "read a receipt");
        }
        *ret = list;
        return 0;
}
