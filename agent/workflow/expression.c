/*
 * expression: numbers to texts, and from there to a Plain or to a place in the jq program.
 */
#include "agent/workflow/expression.h"

#include <ctype.h>
#include <string.h>

#include "agent/workflow/jq-worker.h"
#include "agent/workflow/plain.h"

typedef struct Expression {
        char *text;     /* owned */
        char *path;     /* owned */
        Plain *plain;   /* owned; NULL: by libjq */
        unsigned in_jq; /* number in the program, where not plain */
        const void *owner;
} Expression;

struct ExpressionSet {
        Expression items[EXPRESSIONS_MAX];
        unsigned n;
        unsigned n_jq;
        const void *owner; /* of those that are added now */
        JqWorker *given;   /* borrowed; NULL: none was given */
        JqWorker *own;     /* owned; NULL: none, or not yet */
        bool compiled;
};

int expressions_new(ExpressionSet **ret_set) {
        *ret_set = calloc(1, sizeof(**ret_set));
        return *ret_set ? 0 : -ENOMEM;
}

ExpressionSet *expressions_free(ExpressionSet *set) {
        for (unsigned i = 0; set && i < set->n; i++) {
                free(set->items[i].text);
                free(set->items[i].path);
                plain_free(set->items[i].plain);
        }
        if (set)
                jq_worker_free(set->own);
        free(set);
        return NULL;
}

int expressions_add(ExpressionSet *set, const char *text, size_t n, const char *path, Error *err) {
        Expression *item = &set->items[set->n];
        int r;

        if (set->n == EXPRESSIONS_MAX)
                return error_say(err, -ENOBUFS, "%s: a workflow has at most %d expressions", path,
                                 EXPRESSIONS_MAX);
        if (n > EXPRESSION_TEXT_MAX || strspn(text, " \t\n") >= n)
                return error_say(err, -EINVAL, "%s: an expression has 1 to %d bytes", path,
                                 EXPRESSION_TEXT_MAX);
        *item = (Expression){ .text = strndup(text, n), .path = strdup(path), .owner = set->owner };
        set->n++; /* from here on expressions_free() owns it */
        if (!item->text || !item->path)
                return error_set(err, -ENOMEM, "%s", path);
        r = plain_parse(item->text, &item->plain);
        if (r < 0)
                return error_set(err, r, "%s", path);
        if (r == PLAIN_E_OTHER)
                item->in_jq = set->n_jq++;
        return (int) set->n - 1;
}

void expressions_shape(const ExpressionSet *set, unsigned id, ExpressionShape *ret) {
        *ret = (ExpressionShape){ 0 };
        if (set->items[id].plain)
                plain_shape(set->items[id].plain, &ret->path, &ret->equal_to);
}

int expressions_each(const ExpressionSet *set, const void *owner, ExpressionFn found,
                     void *userdata, Error *err) {
        int r = 0;

        for (unsigned i = 0; i < set->n && r >= 0; i++)
                if (set->items[i].owner == owner)
                        r = found(i, set->items[i].path, userdata, err);
        return r;
}

const char *expressions_text(const ExpressionSet *set, unsigned id) {
        return set->items[id].text;
}

bool expressions_uses_jq(const ExpressionSet *set) {
        return set->n_jq > 0;
}

static const Expression *nth_jq(const ExpressionSet *set, unsigned n) {
        for (unsigned i = 0; i < set->n; i++)
                if (!set->items[i].plain && set->items[i].in_jq == n)
                        return &set->items[i];
        return NULL;
}

void expressions_set_worker(ExpressionSet *set, JqWorker *worker) {
        set->given = worker;
}

static JqWorker *worker_of(const ExpressionSet *set) {
        return set->given ? set->given : set->own;
}

int expressions_compile(ExpressionSet *set, Error *err) {
        const char *texts[EXPRESSIONS_MAX];
        const Expression *culprit;
        unsigned n = 0, bad = 0;
        int r = 0;

        if (set->compiled || set->n_jq == 0)
                return 0;
        if (!worker_of(set))
                r = jq_worker_new(NULL, &set->own, err);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < set->n; i++)
                if (!set->items[i].plain)
                        texts[n++] = set->items[i].text;
        r = jq_worker_compile(worker_of(set), texts, n, &bad, err);
        set->compiled = r == 0;
        if (r == 0)
                return 0;
        culprit = nth_jq(set, bad);
        if (!culprit)
                return error_add(err, r, "the workflow's expressions");
        return error_add(err, r, "%s: `%.200s`", culprit->path, culprit->text);
}

int expressions_compile_all(ExpressionSet *set, Faults *faults, Error *err) {
        int r = expressions_compile(set, err);
        Error first = *err;

        if (r != -EINVAL)
                return r;
        r = 0;
        for (unsigned i = 0; i < set->n && r >= 0; i++) {
                const Expression *item = &set->items[i];

                *err = ERROR_EMPTY;
                r = item->plain ? 0 : jq_worker_check(worker_of(set), item->text, err);
                if (r < 0)
                        (void) error_add(err, r, "%s: `%.200s`", item->path, item->text);
                r = faults_take(faults, r, err);
        }
        if (r < 0 || faults_any(faults))
                return r;
        *err = first; /* each is good, and all together are not */
        return faults_take(faults, -EINVAL, err);
}

int expressions_eval(ExpressionSet *set, unsigned id, const cJSON *data, cJSON **ret_value,
                     Error *err) {
        const Expression *item = &set->items[id];
        int r;

        if (item->plain) {
                r = plain_eval(item->plain, data, ret_value, err);
        } else {
                r = expressions_compile(set, err);
                if (r < 0)
                        return r;
                r = jq_worker_eval(worker_of(set), item->in_jq, data, ret_value, err);
        }
        return r < 0 ? error_add(err, r, "%s: `%.200s`", item->path, item->text) : 0;
}

int expressions_test(ExpressionSet *set, unsigned id, const cJSON *data, bool *ret_holds,
                     Error *err) {
        SCOPED(json_free) cJSON *value = NULL;
        int r;

        r = expressions_eval(set, id, data, &value, err);
        if (r < 0)
                return r;
        *ret_holds = !cJSON_IsNull(value) && !cJSON_IsFalse(value);
        return 0;
}

/* The name after ".steps" at @at: .NAME or ["NAME"] or ."NAME". Returns its length, 0 where none. */
static size_t step_name(const char *at, const char **ret_name) {
        size_t n = 0;

        if (*at == '.')
                at++;
        if (*at == '[')
                at++;
        if (*at == '"') {
                *ret_name = at + 1;
                return strcspn(at + 1, "\"");
        }
        *ret_name = at;
        while (isalnum((unsigned char) at[n]) || at[n] == '_')
                n++;
        return n;
}

static int each_step_of(const Expression *item, StepNameFn found, void *userdata, Error *err) {
        bool quoted = false;

        for (const char *at = item->text; *at; at++) {
                const char *name = NULL;
                char copy[EXPRESSION_TEXT_MAX + 1];
                size_t n;
                int r;

                if (*at == '\\' && quoted && at[1])
                        at++;
                else if (*at == '"')
                        quoted = !quoted;
                if (quoted || strncmp(at, ".steps", 6) != 0 || (at[6] != '.' && at[6] != '['))
                        continue;
                n = step_name(at + 6, &name);
                if (n == 0)
                        continue;
                memcpy(copy, name, n);
                copy[n] = '\0';
                r = found(copy, item->path, userdata, err);
                if (r < 0)
                        return r;
                at = name[n] == '"' ? name + n : name + n - 1;
        }
        return 0;
}

const void *expressions_enter(ExpressionSet *set, const void *owner) {
        const void *outer = set->owner;

        set->owner = owner;
        return outer;
}

int expressions_each_step(const ExpressionSet *set, const void *owner, StepNameFn found,
                          void *userdata, Error *err) {
        for (unsigned i = 0; i < set->n; i++) {
                int r = set->items[i].owner == owner
                                ? each_step_of(&set->items[i], found, userdata, err)
                                : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}
