/*
 * fit: a step's place is its JSON path, so that "within" is a matter of beginnings. A schema says of a value
 * what its own level says; keywords that combine schemas can only narrow that, and are not followed.
 *
 * Not looked at, because it may be right: what stands left of //, what is no plain path, a step that another
 * iteration or try of a common loop can have run.
 */
#include "agent/workflow/fit.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/fit-input.h"
#include "agent/workflow/fit-roots.h"
#include "agent/workflow/kinds.h"

/* ---- places -------------------------------------------------------------------------------------- */

static void gather(Fit *fit, const Step *steps, unsigned n) {
        for (unsigned i = 0; i < n && fit->n < WORKFLOW_STEPS_MAX; i++) {
                fit->all[fit->n++] = &steps[i];
                gather(fit, steps[i].steps, steps[i].n_steps);
        }
}

bool fit_is_within(const char *path, const char *outer) {
        size_t n = strlen(outer);

        return strncmp(path, outer, n) == 0 && path[n] == '/';
}

/* The innermost step that @path lies in: number, or fit->n. */
static unsigned owner_of(const Fit *fit, const char *path) {
        unsigned found = fit->n;

        for (unsigned i = 0; i < fit->n; i++)
                if (fit_is_within(path, fit->all[i]->where))
                        found = i; /* inner ones come later */
        return found;
}

static unsigned find_id(const Fit *fit, const char *id) {
        unsigned i = 0;

        while (i < fit->n && strcmp(fit->all[i]->id, id) != 0)
                i++;
        return i;
}

/* Can an earlier iteration or try have run @step before @path is looked at? */
static bool may_come_round(const Fit *fit, const char *path, const Step *step) {
        for (unsigned i = 0; i < fit->n; i++) {
                const Step *outer = fit->all[i];

                if ((outer->kind->comes_round || outer->retries > 0) &&
                    fit_is_within(path, outer->where) &&
                    (step == outer || fit_is_within(step->where, outer->where)))
                        return true;
        }
        return false;
}

/* The arm of @outer, by its JSON path, that @path lies in: "parallel/1". */
static size_t arm_of(const Step *outer, const char *path) {
        size_t n = strlen(outer->where) + 1;

        n += strcspn(path + n, "/");
        return path[n] ? n + 1 + strcspn(path + n + 1, "/") : n;
}

static bool run_beside(const Fit *fit, const char *path, const Step *step) {
        for (unsigned i = 0; i < fit->n; i++) {
                const Step *outer = fit->all[i];
                size_t n;

                if (!outer->kind->at_once || !fit_is_within(path, outer->where) ||
                    !fit_is_within(step->where, outer->where))
                        continue;
                n = arm_of(outer, path);
                if (n != arm_of(outer, step->where) || strncmp(path, step->where, n) != 0)
                        return true;
        }
        return false;
}

/* The foreach that @step lies in and @path does not. */
static const Step *closed_around(const Fit *fit, const char *path, const Step *step) {
        for (unsigned i = 0; i < fit->n; i++)
                if (fit->all[i]->n_steps > 0 && fit->all[i]->kind->scope == KIND_LEAF &&
                    fit_is_within(step->where, fit->all[i]->where) &&
                    !fit_is_within(path, fit->all[i]->where))
                        return fit->all[i];
        return NULL;
}

/* A step that an expression at @path names: can it have run? */
static int check_name(const Fit *fit, const char *name, const char *path, Error *err) {
        unsigned number = find_id(fit, name), owner = owner_of(fit, path);
        const Step *step, *closed;

        if (number == fit->n)
                return workflow_fault(err, path, "", "there is no step \"%.64s\"", name);
        step = fit->all[number];
        closed = closed_around(fit, path, step);
        if (closed)
                return workflow_fault(err, path, "",
                                      "step \"%s\" is seen inside of \"%s\" only: what that gives "
                                      "is .steps.%s",
                                      name, closed->id, closed->id);
        if (owner == fit->n || may_come_round(fit, path, step) ||
            fit_is_within(step->where, fit->all[owner]->where))
                return 0;
        if (run_beside(fit, path, step))
                return workflow_fault(err, path, "", "step \"%s\" runs beside this one, not before",
                                      name);
        if (number > owner)
                return workflow_fault(err, path, "", "step \"%s\" runs only after this one", name);
        return 0;
}

/* ---- schemas ------------------------------------------------------------------------------------- */

static bool has_type(const cJSON *types, const char *type) {
        const cJSON *item;

        if (cJSON_IsString(types))
                return strcmp(types->valuestring, type) == 0 ||
                       (strcmp(type, "integer") == 0 && strcmp(types->valuestring, "number") == 0);
        cJSON_ArrayForEach(item, types) {
                if (has_type(item, type))
                        return true;
        }
        return false;
}

/* May a value that fits @schema be of this type? */
static bool allows(const cJSON *schema, const char *type) {
        const cJSON *types = json_get(schema, "type");

        return !types || has_type(types, type);
}

static const char *type_of(const cJSON *value) {
        if (cJSON_IsNumber(value)) /* 2.0 is an integer too; what is none is still a number */
                return "integer";
        if (cJSON_IsBool(value))
                return "boolean";
        if (cJSON_IsString(value))
                return "string";
        return cJSON_IsArray(value) ? "array" : cJSON_IsObject(value) ? "object" : "null";
}

bool fit_meet(const cJSON *one, const cJSON *other) {
        static const char *const types[] = { "null",   "boolean", "integer", "number",
                                             "string", "array",   "object" };

        for (unsigned i = 0; i < ELEMENTS(types); i++)
                if (allows(one, types[i]) && allows(other, types[i]))
                        return true;
        return false;
}

/* What @step gives; NULL: not known. One with effects outside may be skipped by a person. */
static const cJSON *schema_of(const Fit *fit, unsigned number) {
        const Step *step = fit->all[number];

        if (step->outside)
                return NULL;
        if (step->output)
                return step->output;
        return step->role && step->role->output ? step->role->output : fit->gives[number];
}

static const cJSON *root_schema(const Fit *fit, const cJSON *path, const cJSON **ret_rest) {
        const cJSON *first = path->child, *second = first ? first->next : NULL;
        unsigned number;

        if (!first || !cJSON_IsString(first))
                return NULL;
        *ret_rest = second;
        if (strcmp(first->valuestring, "input") == 0)
                return fit->workflow->input;
        if (strcmp(first->valuestring, "state") == 0)
                return fit->workflow->state;
        if (strcmp(first->valuestring, "steps") != 0 || !cJSON_IsString(second))
                return NULL;
        *ret_rest = second->next;
        number = find_id(fit, second->valuestring);
        return number < fit->n ? schema_of(fit, number) : NULL;
}

/* One member or element further in. Returns: NULL with *ret_fault empty where it is not known. */
const cJSON *fit_go_in(const cJSON *schema, const cJSON *key, char *fault, size_t size) {
        bool named = cJSON_IsString(key);
        const cJSON *inner, *others = json_get(schema, "additionalProperties");

        if (!cJSON_IsObject(schema))
                return NULL;
        if (!allows(schema, named ? "object" : "array") && !allows(schema, "null")) {
                if (named)
                        (void) snprintf(fault, size, "it is no object: it has no \"%.64s\"",
                                        key->valuestring);
                else
                        (void) snprintf(fault, size, "it is no list");
                return NULL;
        }
        if (!named)
                return json_get(schema, "prefixItems") ? NULL : json_get(schema, "items");
        inner = json_get(json_get(schema, "properties"), key->valuestring);
        if (inner || json_get(schema, "patternProperties"))
                return inner;
        if (cJSON_IsFalse(others))
                (void) snprintf(fault, size, "it never has \"%.64s\"", key->valuestring);
        return others;
}

/* The schema of what a plain path finds; NULL: not known. */
static int find_schema(const Fit *fit, const cJSON *path, const char *where, const cJSON **ret,
                       Error *err) {
        const cJSON *key = NULL, *schema = root_schema(fit, path, &key);
        char fault[128] = "";

        for (; schema && key; key = key->next) {
                schema = fit_go_in(schema, key, fault, sizeof(fault));
                if (*fault)
                        return workflow_fault(err, where, "",
                                              "what the path finds before its end: %s", fault);
        }
        *ret = cJSON_IsObject(schema) ? schema : NULL;
        return 0;
}

/* ---- uses ---------------------------------------------------------------------------------------- */

static int check_root(const cJSON *path, const char *where, Error *err) {
        static const char *const seen[] = { "input", "state", "steps", "iteration",
                                            "item",  "error", "model" };
        const cJSON *first = path->child;

        if (!first || !cJSON_IsString(first))
                return 0;
        for (unsigned i = 0; i < ELEMENTS(seen); i++)
                if (strcmp(seen[i], first->valuestring) == 0)
                        return 0;
        return workflow_fault(err, where, "",
                              "there is no .%.64s: an expression sees .input, .state, .steps, "
                              ".iteration, .item and .error",
                              first->valuestring);
}

int fit_schema(const Fit *fit, unsigned number, const char *where, const cJSON **ret_schema,
               Error *err) {
        ExpressionShape shape = { 0 };

        *ret_schema = NULL;
        expressions_shape(fit->workflow->expressions, number, &shape);
        return shape.path && !shape.equal_to ? find_schema(fit, shape.path, where, ret_schema, err)
                                             : 0;
}

/* Can a value that fits @schema be the same as @literal? */
static bool may_equal(const cJSON *schema, const cJSON *literal) {
        const cJSON *values = json_get(schema, "enum"), *constant = json_get(schema, "const");
        const cJSON *value;

        if (cJSON_IsNull(literal)) /* of a step that has not run */
                return true;
        if (constant && !cJSON_Compare(constant, literal, true))
                return false;
        if (!values)
                return allows(schema, type_of(literal));
        cJSON_ArrayForEach(value, values) {
                if (cJSON_Compare(value, literal, true))
                        return true;
        }
        return false;
}

static int check_shape(const Fit *fit, unsigned number, const char *where, Error *err) {
        ExpressionShape shape = { 0 };
        const cJSON *schema = NULL;
        int r;

        expressions_shape(fit->workflow->expressions, number, &shape);
        if (!shape.path)
                return 0;
        r = check_root(shape.path, where, err);
        if (r >= 0)
                r = find_schema(fit, shape.path, where, &schema, err);
        if (r < 0 || !schema || !shape.equal_to || may_equal(schema, shape.equal_to))
                return r;
        return workflow_fault(err, where, "", "`%.200s`: these two are never equal",
                              expressions_text(fit->workflow->expressions, number));
}

/* What a foreach goes over. */
static int check_list(const Fit *fit, const Step *step, Error *err) {
        ExpressionShape shape = { 0 };
        const cJSON *schema = NULL;
        int r;

        if (strcmp(step->kind->key, "foreach") != 0)
                return 0;
        expressions_shape(fit->workflow->expressions, step->condition, &shape);
        if (!shape.path || shape.equal_to)
                return 0;
        r = find_schema(fit, shape.path, step->where, &schema, err);
        if (r < 0 || !schema || allows(schema, "array"))
                return r;
        return workflow_fault(err, step->where, "foreach", "what it goes over is never a list");
}

/* Can what the kind gives fit the schema that the step asks of it? */
static int check_own(const Fit *fit, unsigned number, Error *err) {
        const Step *step = fit->all[number];
        const cJSON *gives = fit->gives[number], *name;

        if (!step->output || !gives || step->role) /* a model is told what to give */
                return 0;
        cJSON_ArrayForEach(name, json_get(step->output, "required")) {
                char fault[128] = "";

                if (cJSON_IsString(name))
                        (void) fit_go_in(gives, name, fault, sizeof(fault));
                if (*fault)
                        return workflow_fault(err, step->where, "output",
                                              "no output of kind \"%s\" fits: %s", step->kind->key,
                                              fault);
        }
        return 0;
}

static int check_expression(unsigned number, const char *where, void *userdata, Error *err) {
        const Fit *fit = userdata;
        int r = fit_roots(fit, number, where, err);

        return faults_take(fit->faults, r < 0 ? r : check_shape(fit, number, where, err), err);
}

static int check_step_name(const char *name, const char *path, void *userdata, Error *err) {
        const Fit *fit = userdata;

        return faults_take(fit->faults, check_name(fit, name, path, err), err);
}

static int check_step(const Fit *fit, unsigned number, Error *err) {
        const Step *step = fit->all[number];
        int r = check_list(fit, step, err);

        if (r >= 0)
                r = check_own(fit, number, err);
        if (r >= 0)
                r = fit_sets(fit, step, err);
        if (r >= 0)
                r = fit_input(fit, step, err);
        return faults_take(fit->faults, r, err);
}

static int check_all(Fit *fit, Error *err) {
        const ExpressionSet *set = fit->workflow->expressions;
        int r;

        r = expressions_each_step(set, fit->workflow, check_step_name, fit, err);
        if (r >= 0)
                r = expressions_each(set, fit->workflow, check_expression, fit, err);
        for (unsigned i = 0; i < fit->n && r >= 0; i++)
                r = check_step(fit, i, err);
        return r;
}

int fit_check(const Workflow *workflow, Faults *faults, Error *err) {
        Fit *fit = calloc(1, sizeof(*fit));
        int r = 0;

        if (!fit)
                return error_set(err, -ENOMEM, "check a workflow");
        fit->workflow = workflow;
        fit->faults = faults;
        gather(fit, workflow->steps, workflow->n_steps);
        gather(fit, workflow->finally, workflow->n_finally);
        for (unsigned i = 0; i < fit->n && r >= 0; i++) {
                const char *gives = fit->all[i]->kind->gives;

                if (gives)
                        r = json_parse(gives, strlen(gives), 0, &fit->gives[i], err);
        }
        if (r >= 0)
                r = check_all(fit, err);
        for (unsigned i = 0; i < fit->n; i++)
                json_free(fit->gives[i]);
        free(fit);
        return r;
}
