/*
 * policy-take: see policy-take.h.
 *
 * A caller's own file comes as text, never as a path, and only ever tightens what an administrator's policy
 * says: it must extend one, and may name another seccomp profile only where that is known to allow less.
 */
#include "supervisor/front/policy/policy-take.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/policy/quotas.h"

static const char *code_of(int r) {
        return r == -ENOENT ? "not_found" : r == -ENOTSUP ? "unsupported" : "invalid";
}

static int take_name(Front *front, const PolicyAsk *ask, const char *name, PolicyTaken *ret,
                     Error *err) {
        ret->policy = ask->show ? policies_look(front->policies, name, err)
                                : policies_find(front->policies, name, err);
        if (!ret->policy)
                return err->code;
        (void) snprintf(ret->use.shown, sizeof ret->use.shown, "%s", name);
        (void) snprintf(ret->use.name, sizeof ret->use.name, "%s", name);
        ret->rules = *policy_rules(ret->policy);
        ret->filter = policy_filter(ret->policy);
        return 0;
}

/* It may choose a tighter seccomp profile than the policy that it extends: then that one's filter holds. */
static int use_own(Front *front, const PolicyText *text, PolicyTaken *ret, Error *err) {
        size_t n = strlen(text->file), room = sizeof ret->use.shown - sizeof("./");
        size_t cut = n > room ? n - room : 0;
        const char *profile = ret->rules.seccomp;
        PolicyHold hold;
        int r;

        /* with a slash in any case: whatever the file is called, nobody takes it for an administrator's policy */
        (void) snprintf(ret->use.shown, sizeof ret->use.shown, "%s%s",
                        strchr(text->file + cut, '/') ? "" : "./", text->file + cut);
        ret->use.is_own = true;
        if (strcmp(profile, policy_said(ret->policy)->seccomp) == 0)
                return policy_read_digest(&ret->rules, ret->filter, text->file, ret->use.digest,
                                          err);
        (void) snprintf(ret->use.profile, sizeof ret->use.profile, "%s", profile);
        r = policies_hold(front->policies, &ret->use, &hold, err);
        if (r < 0)
                return error_add(err, -EINVAL, "%s: /seccomp", text->file);
        ret->filter = hold.filter;
        return policy_read_digest(&ret->rules, ret->filter, text->file, ret->use.digest, err);
}

static int apply_own(Front *front, const PolicyAsk *ask, const PolicyText *text, PolicyTaken *ret,
                     Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        PolicyFault fault = { 0 };
        const char *parent;
        int r = policy_file_parse(text, &json, &fault);

        if (r < 0)
                return policy_fault_error(&fault, err);
        parent = json_text(json, "extends");
        if (!parent) {
                (void) policy_fault_set(&fault, text, "",
                                        "a policy of your own must say which one it \"extends\": "
                                        "\"default\", say; `warder policy list` has them all");
                return policy_fault_error(&fault, err);
        }
        r = take_name(front, ask, parent, ret, err);
        if (r < 0)
                return error_add(err, r, "%s: /extends", text->file);
        ret->rules = *policy_said(ret->policy);
        if (policy_file_apply(&ret->rules, text, json, true, &fault) < 0)
                return policy_fault_error(&fault, err);
        (void) policy_settle(&ret->rules, &front->info);
        r = use_own(front, text, ret, err);
        if (r < 0 || ask->show)
                return r;
        return policies_check_required(front->policies, ret->rules.require, text->file, err);
}

static int take_own(Front *front, const PolicyAsk *ask, PolicyTaken *ret, Error *err) {
        const PolicyText text = { .file = json_text(ask->policy, "file"),
                                  .text = json_text(ask->policy, "text"),
                                  .n = strlen(json_text(ask->policy, "text")),
                                  .schema = policies_reader(front->policies)->schema };

        return apply_own(front, ask, &text, ret, err);
}

/* ---- the caller's ceiling ------------------------------------------------------------------------- */

const char *policy_taken_origin(const PolicyTaken *taken, unsigned i, char *text) {
        if (i >= _LIMIT_FIELD_MAX || !taken->ceiling[i][0])
                return policy_origin(&taken->rules, i, text);
        (void) snprintf(text, POLICY_ORIGIN_MAX, "%s", taken->ceiling[i]);
        return text;
}

/* A ceiling names fields as a policy does. */
static const CeilingValue *ceiling_of_field(const Ceiling *ceiling, unsigned field) {
        char object[16];
        const char *name = strrchr(limits_pointer(field), '/') + 1;

        (void) snprintf(object, sizeof object, "%.*s", (int) (name - limits_pointer(field)) - 2,
                        limits_pointer(field) + 1);
        return ceiling_get(ceiling, object, name);
}

/* What is lowered here is no longer the ceiling's word. */
static void settle(const Front *front, PolicyTaken *taken) {
        uint32_t lowered = policy_settle(&taken->rules, &front->info);

        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++)
                if (lowered & BIT(i))
                        taken->ceiling[i][0] = '\0';
}

static int apply_ceiling(Front *front, Call *call, PolicyTaken *taken, Error *err) {
        const Ceiling *ceiling;
        int r = quota_ceiling(front, call_peer(call)->uid, &ceiling, err);

        if (r < 0)
                return r;
        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++) {
                const CeilingValue *value = ceiling_of_field(ceiling, i);

                if (value && value->value != CEILING_NONE &&
                    limits_lower(&taken->rules.limits, i, value->value))
                        (void) ceiling_source(value, taken->ceiling[i]);
        }
        settle(front, taken);
        return 0;
}

int policy_take_bound(Front *front, uint32_t uid, bool wall, JailLimits *limits, Error *err) {
        uint64_t wall_usec = limits->wall_usec;
        const Ceiling *ceiling;
        int r = quota_ceiling(front, uid, &ceiling, err);

        if (r < 0)
                return r;
        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++) {
                const CeilingValue *value = ceiling_of_field(ceiling, i);

                if (value && value->value != CEILING_NONE)
                        (void) limits_lower(limits, i, value->value);
        }
        (void) limits_settle(limits, &front->info);
        if (!wall)
                limits->wall_usec = wall_usec;
        return 0;
}

/* ---- the request's own limits --------------------------------------------------------------------- */

static int refuse_limit(Call *call, unsigned field, const PolicyTaken *taken, Error *err) {
        const char *name = strrchr(limits_pointer(field), '/') + 1;
        char origin[POLICY_ORIGIN_MAX];
        Error own = *err;
        bool looser = own.code == -EPERM;
        bool is_fit =
                !taken->ceiling[field][0] && taken->rules.from[field].source == POLICY_FROM_FIT;

        (void) policy_taken_origin(taken, field, origin);
        call_refuse(call, looser ? "denied" : "invalid", limits_pointer(field),
                    looser ? "a request may only tighten: see `warder policy show`, or choose "
                             "another policy"
                           : NULL);
        if (looser)
                return error_say(err, -EPERM, "limits.%s: %s, which %.200s%s", name, own.text,
                                 is_fit      ? "is "
                                 : origin[0] ? origin
                                             : "the policy",
                                 is_fit ? origin : " says");
        return error_say(err, own.code, "limits.%s: %s", name, own.text);
}

static int tighten(Front *front, Call *call, const cJSON *request, PolicyTaken *taken, Error *err) {
        PolicyRules *rules = &taken->rules;
        char asked[LIMIT_VALUE_MAX], memory[LIMIT_VALUE_MAX];
        uint64_t disk = 0;

        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++) {
                const char *name = strrchr(limits_pointer(i), '/') + 1;
                const cJSON *item = limits_in_request(i) ? json_get(request, name) : NULL;

                if (item && limits_take(&rules->limits, i, item, true, err) < 0)
                        return refuse_limit(call, i, taken, err);
        }
        settle(front, taken);
        if (json_number(request, "disk", &disk) == 0 && rules->limits.plan.disk_bytes < disk) {
                call_refuse(call, "invalid", "/limits/disk", NULL);
                return error_say(err, -EINVAL,
                                 "limits.disk: %s is more than half of the memory limit (%s): what "
                                 "a jail writes is held in memory",
                                 limits_format_value(LIMIT_DISK, disk, asked),
                                 limits_format(&rules->limits, LIMIT_MEMORY, memory));
        }
        return 0;
}

int policy_take(Front *front, Call *call, const PolicyAsk *ask, PolicyTaken *ret, Error *err) {
        PolicyTaken taken = { .policy = NULL };
        int r;

        if (cJSON_IsObject(ask->policy))
                r = take_own(front, ask, &taken, err);
        else
                r = take_name(front, ask, ask->policy ? ask->policy->valuestring : ask->otherwise,
                              &taken, err);
        if (r < 0) {
                call_refuse(call, code_of(r), "/policy", NULL);
                return r;
        }
        r = apply_ceiling(front, call, &taken, err);
        if (r >= 0 && ask->limits)
                r = tighten(front, call, ask->limits, &taken, err);
        if (r < 0)
                return r;
        *ret = taken;
        return 0;
}

int policy_take_host_root(Call *call, const PolicyTaken *taken, Error *err) {
        if (taken->rules.host_root)
                return 0;
        call_refuse(call, "denied", "/snapshot", "import a root: warder snapshot import NAME FILE");
        return error_say(err, -EPERM,
                         "policy %s does not allow the host's own root: name a snapshot",
                         taken->use.shown);
}
