/*
 * policy-file: see policy-file.h.
 *
 * A child starts as a copy of its parent and may only tighten: smaller limits, the host root and binds
 * refused, less of /proc, more required, and no other seccomp profile
 * but a shipped one that allows less (two profiles cannot be compared otherwise).
 */
#include "supervisor/front/policy/policy-file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/json-line.h"
#include "base/schema.h"

static const char *const pointers[_POLICY_FIELD_MAX - _LIMIT_FIELD_MAX] = {
        [POLICY_NETWORK - _LIMIT_FIELD_MAX] = "/network/mode",
        [POLICY_BINDS - _LIMIT_FIELD_MAX] = "/binds",
        [POLICY_PROC - _LIMIT_FIELD_MAX] = "/proc",
        [POLICY_HOST_ROOT - _LIMIT_FIELD_MAX] = "/host_root",
        [POLICY_SECCOMP - _LIMIT_FIELD_MAX] = "/seccomp",
        [POLICY_REQUIRE - _LIMIT_FIELD_MAX] = "/require",
        [POLICY_ANSWER - _LIMIT_FIELD_MAX] = "/people/answer",
        [POLICY_WAIT - _LIMIT_FIELD_MAX] = "/people/wait",
        [POLICY_EGRESS - _LIMIT_FIELD_MAX] = "/egress/allow",
};

const char *policy_pointer(unsigned field) {
        return field < _LIMIT_FIELD_MAX ? limits_pointer(field)
                                        : pointers[field - _LIMIT_FIELD_MAX];
}

static const char *fit_reason(unsigned field) {
        switch (field) {
        case LIMIT_MEMORY:
                return "three quarters of this host's memory";
        case LIMIT_DISK:
                return "half of limits.memory";
        case LIMIT_COMMAND_WALL:
                return "limits.wall";
        default:
                return "the most there is";
        }
}

const char *policy_origin(const PolicyRules *rules, unsigned i, char *text) {
        const PolicyOrigin *from = &rules->from[i];

        text[0] = '\0';
        if (from->source == POLICY_FROM_FIT)
                (void) snprintf(text, POLICY_ORIGIN_MAX, "%s", fit_reason(i));
        else if (from->line)
                (void) snprintf(text, POLICY_ORIGIN_MAX, "%s:%u", rules->sources[from->source],
                                from->line);
        return text;
}

/* ---- faults --------------------------------------------------------------------------------------- */

int policy_fault_set(PolicyFault *fault, const PolicyText *text, const char *pointer,
                     const char *format, ...) {
        va_list args;

        *fault = (PolicyFault){ 0 };
        (void) snprintf(fault->file, sizeof fault->file, "%s", text->file);
        (void) snprintf(fault->field, sizeof fault->field, "%s", pointer);
        if (text->text)
                fault->line = json_line(text->text, text->n, pointer);
        va_start(args, format);
        (void) vsnprintf(fault->reason, sizeof fault->reason, format, args);
        va_end(args);
        return -EINVAL;
}

int policy_fault_error(const PolicyFault *fault, Error *err) {
        char line[16] = "";

        if (fault->line)
                (void) snprintf(line, sizeof line, ":%u", fault->line);
        return error_say(err, -EINVAL, "%.200s%s: %s%s%s", fault->file, line, fault->field,
                         fault->field[0] ? ": " : "", fault->reason);
}

/* json_parse() says "line 3, column 7: …" of what is no JSON. */
static int no_json(const PolicyText *text, const char *reason, PolicyFault *fault) {
        unsigned line = 0;

        (void) policy_fault_set(fault, text, "", "%s", reason);
        fault->line = sscanf(reason, "line %u", &line) == 1 ? line : 0;
        return -EINVAL;
}

static void leave_out(cJSON *json, const char *pointer) {
        const char *slash = strrchr(pointer, '/');
        autofree char *parent = slash ? strndup(pointer, (size_t) (slash - pointer)) : NULL;
        cJSON *item = json_at(json, pointer), *from = parent ? json_at(json, parent) : NULL;

        if (item && from)
                cJSON_Delete(cJSON_DetachItemViaPointer(from, item));
}

int policy_file_parse(const PolicyText *text, cJSON **ret_json, PolicyFault *fault) {
        SCOPED(json_free) cJSON *json = NULL;
        SchemaFault misfit = { 0 };
        Error err = ERROR_EMPTY;
        int r;

        if (text->n > POLICY_TEXT_MAX)
                return policy_fault_set(fault, text, "", "more than %d bytes", POLICY_TEXT_MAX);
        r = json_parse(text->text, text->n, JSON_COMMENTS, &json, &err);
        if (r == -EINVAL)
                return no_json(text, err.text, fault);
        if (r < 0) {
                (void) policy_fault_set(fault, text, "", "%s", err.text);
                return r;
        }
        for (unsigned i = 0; i < text->n_without; i++)
                leave_out(json, text->without[i]);
        if (schema_check(text->schema, json, &misfit) < 0)
                return policy_fault_set(fault, text, misfit.path, "%s", misfit.text);
        *ret_json = TAKE_PTR(json);
        return 0;
}

/* ---- applying ------------------------------------------------------------------------------------- */

typedef struct Applying {
        PolicyRules *rules;
        const PolicyText *text;
        const cJSON *json;
        bool child;
        PolicyFault *fault;
} Applying;

static int loosens(const Applying *on, unsigned field, const char *reason) {
        char from[POLICY_ORIGIN_MAX];

        (void) policy_origin(on->rules, field, from);
        return policy_fault_set(on->fault, on->text, policy_pointer(field),
                                "%s, which %.160s says: a child may only tighten", reason,
                                from[0] ? from : "its parent");
}

static void mark(const Applying *on, unsigned field) {
        on->rules->from[field] = (PolicyOrigin){ .source = on->rules->n_sources - 1,
                                                 .line = json_line(on->text->text, on->text->n,
                                                                   policy_pointer(field)) };
}

static int take_limits(const Applying *on) {
        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++) {
                const cJSON *item = json_at(on->json, limits_pointer(i));
                Error err = ERROR_EMPTY;
                int r;

                if (!item)
                        continue;
                r = limits_take(&on->rules->limits, i, item, on->child, &err);
                if (r == -EPERM)
                        return loosens(on, i, err.text);
                if (r < 0)
                        return policy_fault_set(on->fault, on->text, limits_pointer(i), "%s",
                                                err.text);
                mark(on, i);
        }
        return 0;
}

typedef struct Choice { /* a field of two values */
        unsigned field;
        const char *loose, *tight;
} Choice;

static int take_choice(const Applying *on, const Choice *choice, bool *now) {
        const cJSON *item = json_at(on->json, policy_pointer(choice->field));
        char reason[80];
        bool loose;

        if (!item)
                return 0;
        loose = cJSON_IsString(item) ? strcmp(item->valuestring, choice->loose) == 0
                                     : cJSON_IsTrue(item);
        if (loose && on->child && !*now) {
                (void) snprintf(reason, sizeof reason, "%s is looser than %s", choice->loose,
                                choice->tight);
                return loosens(on, choice->field, reason);
        }
        *now = loose;
        mark(on, choice->field);
        return 0;
}

static int take_choices(const Applying *on) {
        static const Choice binds = { POLICY_BINDS, "rw", "none" };
        static const Choice proc = { POLICY_PROC, "masked", "pid" };
        static const Choice host_root = { POLICY_HOST_ROOT, "true", "false" };
        bool masked = !on->rules->limits.proc_pid;
        int r = take_choice(on, &binds, &on->rules->binds);

        if (r >= 0)
                r = take_choice(on, &proc, &masked);
        on->rules->limits.proc_pid = !masked;
        return r < 0 ? r : take_choice(on, &host_root, &on->rules->host_root);
}

/* The shipped profiles that are known to allow less than another; of any other two nobody knows. */
static bool is_tighter(const char *name, const char *parent) {
        static const char *const order[] = { "debug", "default", "strict" };
        unsigned at = 0, from = 0;

        while (at < ELEMENTS(order) && strcmp(order[at], name) != 0)
                at++;
        while (from < ELEMENTS(order) && strcmp(order[from], parent) != 0)
                from++;
        return at < ELEMENTS(order) && from <= at;
}

static int take_seccomp(const Applying *on) {
        const char *name = json_text(on->json, "seccomp");
        PolicyRules *rules = on->rules;
        char reason[POLICY_NAME_MAX + 64];

        if (!name)
                return 0;
        if (!name_is_valid(name))
                return policy_fault_set(on->fault, on->text, "/seccomp", "is no name");
        if (on->child && strcmp(name, rules->seccomp) != 0 && !is_tighter(name, rules->seccomp)) {
                (void) snprintf(reason, sizeof reason, "another profile than %s", rules->seccomp);
                return loosens(on, POLICY_SECCOMP, reason);
        }
        (void) snprintf(rules->seccomp, sizeof rules->seccomp, "%s", name);
        mark(on, POLICY_SECCOMP);
        return 0;
}

static void take_require(const Applying *on) {
        const cJSON *list = json_get(on->json, "require"), *item;

        cJSON_ArrayForEach(item, list) on->rules->require |=
                strcmp(item->valuestring, "psi") == 0 ? REQUIRE_PSI : REQUIRE_LANDLOCK;
        if (list)
                mark(on, POLICY_REQUIRE);
}

/* Each of the two alone, so that a fault is about a field */
static int take_people(const Applying *on) {
        static const unsigned fields[] = { POLICY_ANSWER, POLICY_WAIT };

        for (unsigned i = 0; i < ELEMENTS(fields); i++) {
                const cJSON *item = json_at(on->json, policy_pointer(fields[i]));
                SCOPED(json_free) cJSON *alone = item ? cJSON_CreateObject() : NULL;
                Error err = ERROR_EMPTY;
                int r;

                if (!item)
                        continue;
                json_add_consume(alone, item->string, cJSON_Duplicate(item, true));
                r = answer_rules_take(&on->rules->people, alone, on->child, &err);
                if (r == -EPERM)
                        return loosens(on, fields[i], err.text);
                if (r < 0)
                        return policy_fault_set(on->fault, on->text, policy_pointer(fields[i]),
                                                "%s", err.text);
                mark(on, fields[i]);
        }
        return 0;
}

/* The key is an administrator's: who extends a policy, be it a caller's own text, lets out no more than that. */
static int take_egress(const Applying *on) {
        const cJSON *list = json_at(on->json, policy_pointer(POLICY_EGRESS)), *item;
        char allowed[EGRESS_ALLOWED_MAX] = "", reason[160];
        size_t n = 0;

        cJSON_ArrayForEach(item, list) {
                const char *word = item->valuestring;

                (void) snprintf(reason, sizeof(reason), "%.60s is not let out", word);
                if (on->child && !egress_is_allowed(on->rules->egress, word))
                        return loosens(on, POLICY_EGRESS, reason);
                if (n + strlen(word) + 2 > sizeof(allowed))
                        return policy_fault_set(on->fault, on->text, policy_pointer(POLICY_EGRESS),
                                                "the words are too long together");
                n += (size_t) snprintf(allowed + n, sizeof(allowed) - n, "%s%s", n > 0 ? "," : "",
                                       word);
        }
        if (!list)
                return 0;
        memcpy(on->rules->egress, allowed, sizeof(allowed));
        mark(on, POLICY_EGRESS);
        return 0;
}

static void show_egress(const PolicyRules *rules, cJSON *json) {
        cJSON *list =
                rules->egress[0] ? json_add_array(json_add_object(json, "egress"), "allow") : NULL;
        char words[EGRESS_ALLOWED_MAX], *rest = NULL;

        memcpy(words, rules->egress, sizeof(words));
        for (const char *word = strtok_r(words, ",", &rest); word;
             word = strtok_r(NULL, ",", &rest))
                json_push_text(list, word);
}

int policy_file_apply(PolicyRules *rules, const PolicyText *text, const cJSON *json, bool child,
                      PolicyFault *fault) {
        const Applying on = { rules, text, json, child, fault };
        const char *description = json_text(json, "description");
        int r;

        if (rules->n_sources >= POLICY_SOURCES_MAX)
                return policy_fault_set(fault, text, "/extends", "more parents than %d",
                                        POLICY_SOURCES_MAX - 1);
        (void) snprintf(rules->sources[rules->n_sources++], POLICY_SOURCE_MAX, "%s", text->file);
        (void) snprintf(rules->description, sizeof rules->description, "%s",
                        description ? description : "");
        r = take_limits(&on);
        if (r >= 0)
                r = take_choices(&on);
        if (r >= 0)
                r = take_seccomp(&on);
        if (r >= 0)
                r = take_people(&on);
        if (r >= 0)
                r = take_egress(&on);
        if (r < 0)
                return r;
        take_require(&on);
        if (json_at(json, "/network/mode"))
                mark(&on, POLICY_NETWORK);
        return 0;
}

uint32_t policy_settle(PolicyRules *rules, const FrontInfo *info) {
        uint32_t lowered = limits_settle(&rules->limits, info);

        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++)
                if (lowered & BIT(i))
                        rules->from[i] = (PolicyOrigin){ .source = POLICY_FROM_FIT };
        return lowered;
}

/* ---- showing -------------------------------------------------------------------------------------- */

cJSON *policy_rules_json(const PolicyRules *rules) {
        cJSON *json = cJSON_CreateObject();
        cJSON *list;

        limits_describe(&rules->limits, json);
        json_add_text(json_add_object(json, "network"), "mode", "none");
        json_add_text(json, "binds", rules->binds ? "rw" : "none");
        json_add_text(json, "proc", rules->limits.proc_pid ? "pid" : "masked");
        json_add_bool(json, "host_root", rules->host_root);
        json_add_text(json, "seccomp", rules->seccomp);
        list = json_add_array(json, "require");
        if (rules->require & REQUIRE_LANDLOCK)
                json_push_text(list, "landlock");
        if (rules->require & REQUIRE_PSI)
                json_push_text(list, "psi");
        json_add_consume(json, "people", answer_rules_json(&rules->people));
        show_egress(rules, json);
        return json;
}
