/*
 * fit-roots: see fit-roots.h. In the middle of jq ".item" may be a member of anything: only what an expression begins
 * with is looked at.
 */
#include "agent/workflow/fit-roots.h"

#include <ctype.h>
#include <string.h>

#include "agent/workflow/kinds.h"

/* Is @root what the expression begins with? Elsewhere in jq it may be a member of anything. */
static bool begins_with(const char *text, const char *root) {
        size_t n = strlen(root);

        text += strspn(text, " \t\n");
        return strncmp(text, root, n) == 0 && !isalnum((unsigned char) text[n]) && text[n] != '_';
}

static bool has_items(const Step *step) {
        static const char *const kinds[] = { "foreach", "split", "race" };

        for (unsigned i = 0; i < ELEMENTS(kinds); i++)
                if (strcmp(step->kind->key, kinds[i]) == 0)
                        return true;
        return false;
}

/* .item is there inside of a step that has items, and where a race asks who wins */
static int check_item(const Fit *fit, const char *where, Error *err) {
        static const char *const inside[] = { "/steps/", "/resolve/", "/wins" };

        for (unsigned i = 0; i < fit->n; i++) {
                const Step *step = fit->all[i];

                if (!has_items(step) || !fit_is_within(where, step->where))
                        continue;
                for (unsigned j = 0; j < ELEMENTS(inside); j++)
                        if (strncmp(where + strlen(step->where), inside[j], strlen(inside[j])) == 0)
                                return 0;
        }
        return workflow_fault(err, where, "",
                              "there is no .item: it is seen by the steps inside of a foreach, a "
                              "split or a race");
}

static int check_state(const Fit *fit, const char *where, Error *err) {
        for (unsigned i = 0; i < fit->n; i++)
                if (fit->all[i]->n_sets > 0)
                        return 0;
        if (fit->workflow->state)
                return 0;
        return workflow_fault(err, where, "",
                              "there is no state: the workflow has no \"state\" (a JSON Schema), "
                              "and no step sets any");
}

int fit_roots(const Fit *fit, unsigned number, const char *where, Error *err) {
        const char *text = expressions_text(fit->workflow->expressions, number);

        if (begins_with(text, ".item"))
                return check_item(fit, where, err);
        return begins_with(text, ".state") ? check_state(fit, where, err) : 0;
}

/* Can what a step sets be a member of the state? */
int fit_sets(const Fit *fit, const Step *step, Error *err) {
        int r = 0;

        for (unsigned i = 0; fit->workflow->state && i < step->n_sets && r >= 0; i++) {
                SCOPED(json_free) cJSON *key = cJSON_CreateString(step->sets[i].name);
                char fault[128] = "";

                if (!key)
                        return error_set(err, -ENOMEM, "check a workflow");
                (void) fit_go_in(fit->workflow->state, key, fault, sizeof(fault));
                if (*fault)
                        r = workflow_fault(err, step->where, "set", "of the state: %s", fault);
        }
        return r;
}
