/*
 * journal: sorted by path once, since a resumed run asks for every instance that it walks over.
 */
#include "agent/workflow/journal.h"

#include <string.h>

typedef struct Commit {
        const char *path; /* borrowed from json */
        cJSON *output;    /* owned; NULL once taken, or where it only began */
        unsigned order;
} Commit;

struct Journal {
        cJSON *json;     /* owned */
        Commit *commits; /* owned; sorted by path */
        unsigned n;
};

static int by_path(const void *a, const void *b) {
        const Commit *left = a, *right = b;
        int order = strcmp(left->path, right->path);

        if (order != 0)
                return order;
        return left->order < right->order ? -1 : left->order > right->order;
}

static int take_commits(Journal *journal, cJSON *list) {
        size_t n = cJSON_IsArray(list) ? (size_t) cJSON_GetArraySize(list) : 0;
        cJSON *json;

        journal->commits = calloc(n + 1, sizeof(*journal->commits));
        if (!journal->commits)
                return -ENOMEM;
        cJSON_ArrayForEach(json, list) {
                const char *path = json_text(json, "path");

                if (!path)
                        return -EINVAL;
                journal->commits[journal->n] = (Commit){
                        .path = path,
                        .output = cJSON_DetachItemFromObjectCaseSensitive(json, "output"),
                        .order = journal->n,
                };
                journal->n++;
        }
        if (journal->n > 0)
                qsort(journal->commits, journal->n, sizeof(*journal->commits), by_path);
        return 0;
}

int journal_new_consume(cJSON *json, Journal **ret_journal) {
        SCOPED(journal_free) Journal *journal = calloc(1, sizeof(*journal));
        int r;

        if (!journal) {
                json_free(json);
                return -ENOMEM;
        }
        journal->json = json;
        r = take_commits(journal, json_get(json, "commits"));
        if (r < 0)
                return r;
        *ret_journal = TAKE_PTR(journal);
        return 0;
}

Journal *journal_free(Journal *journal) {
        for (unsigned i = 0; journal && i < journal->n; i++)
                json_free(journal->commits[i].output);
        if (journal) {
                free(journal->commits);
                json_free(journal->json);
        }
        free(journal);
        return NULL;
}

/* The newest commit of @path. */
static Commit *find(const Journal *journal, const char *path) {
        unsigned low = 0, high = journal->n;

        while (low < high) { /* the first that stands behind @path */
                unsigned middle = low + (high - low) / 2;

                if (strcmp(journal->commits[middle].path, path) <= 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0 || strcmp(journal->commits[low - 1].path, path) != 0)
                return NULL;
        return &journal->commits[low - 1];
}

cJSON *journal_take(Journal *journal, const char *path) {
        Commit *commit = find(journal, path);

        return commit ? TAKE_PTR(commit->output) : NULL;
}

bool journal_is_begun(const Journal *journal, const char *path) {
        const Commit *commit = find(journal, path);

        return commit && !commit->output;
}

const cJSON *journal_answer(const Journal *journal, const char *path) {
        return json_get(json_get(journal->json, "answers"), path);
}

const cJSON *journal_state(const Journal *journal) {
        return json_get(journal->json, "state");
}

const cJSON *journal_memory(const Journal *journal) {
        return json_get(journal->json, "memory");
}
