/*
 * seccomp-profile: see seccomp-profile.h. Source: OCI runtime specification 1.2, config-linux.md,
 * "Seccomp"; containers add includes, excludes and minKernel, which engines resolve before they run.
 */
#include "supervisor/front/seccomp-profile.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "base/log.h"
#include "sandbox/seccomp.h"

#define NATIVE_ARCH   "x86_64"
#define RULES_MAX     512
#define DEFAULT_ERRNO 1 /* EPERM, as engines do where errnoRet is absent */

typedef struct Profile {
        cJSON *json; /* owned; names point into it */
        SeccompRule rules[RULES_MAX];
        unsigned n;
} Profile;

typedef struct Word {
        const char *name;
        uint32_t value;
} Word;

static const Word actions[] = {
        { "SCMP_ACT_ALLOW", SECCOMP_DO_ALLOW },
        { "SCMP_ACT_ERRNO", SECCOMP_DO_ERRNO },
        { "SCMP_ACT_KILL", SECCOMP_DO_KILL },
        { "SCMP_ACT_KILL_PROCESS", SECCOMP_DO_KILL },
        { "SCMP_ACT_KILL_THREAD", SECCOMP_DO_KILL },
        { "SCMP_ACT_LOG", SECCOMP_DO_LOG },
        { NULL, 0 },
};

static const Word operators[] = {
        { "SCMP_CMP_NE", SECCOMP_OP_NE },
        { "SCMP_CMP_LT", SECCOMP_OP_LT },
        { "SCMP_CMP_LE", SECCOMP_OP_LE },
        { "SCMP_CMP_EQ", SECCOMP_OP_EQ },
        { "SCMP_CMP_GE", SECCOMP_OP_GE },
        { "SCMP_CMP_GT", SECCOMP_OP_GT },
        { "SCMP_CMP_MASKED_EQ", SECCOMP_OP_MASKED_EQ },
        { NULL, 0 },
};

static int look_up(const Word *words, const char *name, uint32_t *ret, Error *err) {
        for (; name && words->name; words++)
                if (strcmp(words->name, name) == 0) {
                        *ret = words->value;
                        return 0;
                }
        return error_say(err, -EINVAL, "seccomp profile: \"%.40s\" is not taken here",
                         name ? name : "(nothing)");
}

static bool has_word(const cJSON *array, const char *word) {
        const cJSON *item;

        cJSON_ArrayForEach(item, array) if (cJSON_IsString(item) &&
                                            strcmp(item->valuestring, word) == 0) return true;
        return false;
}

static bool is_native(const cJSON *arches) {
        return has_word(arches, "amd64") || has_word(arches, NATIVE_ARCH) ||
               has_word(arches, "SCMP_ARCH_X86_64");
}

/* "4.8" against the running kernel. */
static bool kernel_has(const char *text) {
        struct utsname host;
        unsigned want[2] = { 0 }, have[2] = { 0 };

        if (uname(&host) < 0 || sscanf(host.release, "%u.%u", &have[0], &have[1]) != 2 ||
            sscanf(text, "%u.%u", &want[0], &want[1]) < 1)
                return false;
        return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

/* Does a rule hold for a command without capabilities, on this architecture and kernel. */
static bool applies(const cJSON *rule) {
        const cJSON *includes = json_get(rule, "includes");
        const cJSON *excludes = json_get(rule, "excludes");
        const char *least = json_text(includes, "minKernel");
        const char *below = json_text(excludes, "minKernel");

        if (cJSON_GetArraySize(json_get(includes, "caps")) > 0)
                return false;
        if (cJSON_GetArraySize(json_get(includes, "arches")) > 0 &&
            !is_native(json_get(includes, "arches")))
                return false;
        if (is_native(json_get(excludes, "arches")))
                return false;
        if (least && !kernel_has(least))
                return false;
        return !below || !kernel_has(below);
}

static int parse_arg(const cJSON *json, SeccompArg *ret, Error *err) {
        uint64_t index;
        int r;

        if (json_number(json, "index", &index) < 0 || index > 5 ||
            json_number(json, "value", &ret->value) < 0)
                return error_say(err, -EINVAL,
                                 "seccomp profile: an argument needs an index up to 5 and a value "
                                 "below 2^53");
        r = json_number(json, "valueTwo", &ret->value_two);
        if (r == -EINVAL)
                return error_say(err, r, "seccomp profile: valueTwo must be below 2^53");
        ret->index = (uint32_t) index;
        return look_up(operators, json_text(json, "op"), &ret->op, err);
}

static int parse_args(const cJSON *args, SeccompRule *rule, Error *err) {
        const cJSON *arg;
        int r;

        cJSON_ArrayForEach(arg, args) {
                if (rule->n_args >= ELEMENTS(rule->args))
                        return error_say(err, -EINVAL, "seccomp profile: a call has six arguments");
                r = parse_arg(arg, &rule->args[rule->n_args++], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_names(const cJSON *names, SeccompRule *rule, Error *err) {
        int n = cJSON_GetArraySize(names);
        autofree const char **list = calloc((size_t) n + 1, sizeof *list);
        const cJSON *name;
        unsigned i = 0;

        if (!list)
                return error_set(err, -ENOMEM, "read a seccomp profile");
        cJSON_ArrayForEach(name, names) {
                if (!cJSON_IsString(name))
                        return error_say(err, -EINVAL, "seccomp profile: a name is no string");
                list[i++] = name->valuestring;
        }
        rule->n_names = i;
        rule->names = TAKE_PTR(list);
        return 0;
}

static int parse_errno(const cJSON *json, const char *name, uint32_t *ret, Error *err) {
        uint64_t value = DEFAULT_ERRNO;
        int r = json_number(json, name, &value);

        if (r == -EINVAL || value > 4095)
                return error_say(err, -EINVAL, "seccomp profile: %s is out of range", name);
        *ret = (uint32_t) value;
        return 0;
}

static int parse_rule(Profile *profile, const cJSON *json, Error *err) {
        SeccompRule *rule = &profile->rules[profile->n];
        int r;

        if (!applies(json))
                return 0;
        if (profile->n >= RULES_MAX)
                return error_say(err, -E2BIG, "seccomp profile: more than %d rules", RULES_MAX);
        profile->n++;
        r = look_up(actions, json_text(json, "action"), &rule->action, err);
        if (r >= 0)
                r = parse_errno(json, "errnoRet", &rule->errno_ret, err);
        if (r >= 0)
                r = parse_args(json_get(json, "args"), rule, err);
        return r < 0 ? r : parse_names(json_get(json, "names"), rule, err);
}

static int parse(Profile *profile, SeccompProfile *ret, Error *err) {
        const cJSON *rule;
        int r;

        r = look_up(actions, json_text(profile->json, "defaultAction"), &ret->default_action, err);
        if (r >= 0)
                r = parse_errno(profile->json, "defaultErrnoRet", &ret->default_errno, err);
        if (r < 0)
                return r;
        if (ret->default_action == SECCOMP_DO_ALLOW || ret->default_action == SECCOMP_DO_LOG)
                return error_say(err, -EINVAL,
                                 "seccomp profile: the default must refuse: list what is allowed");
        cJSON_ArrayForEach(rule, json_get(profile->json, "syscalls")) {
                r = parse_rule(profile, rule, err);
                if (r < 0)
                        return r;
        }
        ret->rules = profile->rules;
        ret->n_rules = profile->n;
        return 0;
}

static Profile *profile_free(Profile *profile) {
        if (!profile)
                return NULL;
        for (unsigned i = 0; i < profile->n; i++) {
                union {
                        const char *const *names;
                        void *memory;
                } list = { profile->rules[i].names };

                free(list.memory);
        }
        json_free(profile->json);
        free(profile);
        return NULL;
}
DEFINE_SCOPED(Profile *, profile_free);

int seccomp_profile_compile(const char *text, size_t n, int *ret_fd, Error *err) {
        SCOPED(profile_free) Profile *profile = calloc(1, sizeof(Profile));
        SeccompProfile rules = { 0 };
        autofree char *unknown = NULL;
        int r;

        if (!profile)
                return error_set(err, -ENOMEM, "read a seccomp profile");
        r = json_parse(text, n, JSON_COMMENTS, &profile->json, err);
        if (r < 0)
                return error_add(err, r, "seccomp profile");
        r = parse(profile, &rules, err);
        if (r >= 0)
                r = seccomp_compile(&rules, ret_fd, &unknown, err);
        if (r >= 0 && unknown && *unknown)
                log_event(LOG_DEBUG, "seccomp profile names calls unknown here",
                          F("CALLS", unknown));
        return r;
}
