/*
 * seccomp-profile: see seccomp-profile.h. Source: OCI runtime specification 1.2, config-linux.md, "Seccomp";
 * engines add archMap, includes, excludes, name, errno and defaultErrno, which they resolve before they run.
 *
 * A profile that loads elsewhere loads here. What this program cannot or will not do as written is listed,
 * and what it does in its place is never weaker: a call that somebody should be asked about (NOTIFY, TRACE)
 * answers ENOSYS; a rule with a condition that we do not know applies if it refuses and not if it allows.
 * Only a profile whose default lets everything through is refused: it is no list of what may be done.
 */
#include "supervisor/front/policy/seccomp-profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/owned.h"
#include "sandbox/seccomp.h"
#include "supervisor/front/policy/seccomp-applies.h"
#include "supervisor/front/policy/seccomp-numbers.h"

#define RULES_MAX     1024
#define DEFAULT_ERRNO 1 /* EPERM, as engines do where errnoRet is absent */
#define ERRNO_MAX     4095
#define NOTICES_MAX   (64 * 1024)

typedef struct Profile {
        cJSON *json; /* owned; names point into it */
        const char *const *arch_names;
        SeccompRule rules[RULES_MAX];
        unsigned n;
        unsigned n_foreign, n_caps; /* rules that are for another architecture, for a capability */
        Buf notices;
} Profile;

typedef struct Word {
        const char *name;
        uint32_t value;
        const char *notice; /* what is done in its place */
} Word;

static const Word actions[] = {
        { "SCMP_ACT_ALLOW", SECCOMP_DO_ALLOW, NULL },
        { "SCMP_ACT_ERRNO", SECCOMP_DO_ERRNO, NULL },
        { "SCMP_ACT_KILL_PROCESS", SECCOMP_DO_KILL, NULL },
        { "SCMP_ACT_KILL", SECCOMP_DO_KILL, "ends the whole process, not one thread" },
        { "SCMP_ACT_KILL_THREAD", SECCOMP_DO_KILL, "ends the whole process, not one thread" },
        { "SCMP_ACT_TRAP", SECCOMP_DO_TRAP, NULL },
        { "SCMP_ACT_LOG", SECCOMP_DO_LOG, NULL },
        { "SCMP_ACT_NOTIFY", SECCOMP_DO_ERRNO, "answers ENOSYS: nobody listens for it" },
        { "SCMP_ACT_TRACE", SECCOMP_DO_ERRNO, "answers ENOSYS: no tracer in a jail is trusted" },
        { NULL, 0, NULL },
};

static const Word operators[] = {
        { "SCMP_CMP_NE", SECCOMP_OP_NE, NULL },
        { "SCMP_CMP_LT", SECCOMP_OP_LT, NULL },
        { "SCMP_CMP_LE", SECCOMP_OP_LE, NULL },
        { "SCMP_CMP_EQ", SECCOMP_OP_EQ, NULL },
        { "SCMP_CMP_GE", SECCOMP_OP_GE, NULL },
        { "SCMP_CMP_GT", SECCOMP_OP_GT, NULL },
        { "SCMP_CMP_MASKED_EQ", SECCOMP_OP_MASKED_EQ, NULL },
        { NULL, 0, NULL },
};

/* Fields that are read; any other is said. */
static const char *const profile_fields[] = {
        "defaultAction", "defaultErrnoRet",  "defaultErrno", "architectures", "archMap", "flags",
        "listenerPath",  "listenerMetadata", "syscalls",     "comment",       NULL,
};
static const char *const rule_fields[] = {
        "names",    "name",     "action",  "errnoRet", "errno", "args",
        "includes", "excludes", "comment", "priority", NULL,
};

static void __attribute__((format(printf, 2, 3))) notice(Profile *profile, const char *format, ...);
static void notice(Profile *profile, const char *format, ...) {
        char line[512];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(line, sizeof line, format, args);
        va_end(args);
        /* the same is said once; what is above the maximum is a profile that nobody reads */
        if (!profile->notices.data || !strstr(profile->notices.data, line))
                (void) buf_printf(&profile->notices, "%s\n", line);
}

static int look_up(Profile *profile, const Word *words, const char *name, uint32_t *ret,
                   Error *err) {
        for (; name && words->name; words++)
                if (strcmp(words->name, name) == 0) {
                        if (words->notice)
                                notice(profile, "%s: %s", name, words->notice);
                        *ret = words->value;
                        return 0;
                }
        return error_say(err, -EINVAL, "\"%.40s\" is not taken here", name ? name : "(nothing)");
}

static void note_fields(Profile *profile, const cJSON *object, const char *const *fields) {
        const cJSON *item;

        cJSON_ArrayForEach(item, object) if (!seccomp_word_is_in(item->string, fields))
                notice(profile, "field \"%.64s\" is not known and not read", item->string);
}

static bool applies(Profile *profile, const cJSON *rule, bool allows) {
        note_fields(profile, json_get(rule, "includes"), seccomp_condition_fields);
        note_fields(profile, json_get(rule, "excludes"), seccomp_condition_fields);
        switch (seccomp_rule_applies(rule, profile->arch_names, allows)) {
        case SECCOMP_RULE_APPLIES:
                return true;
        case SECCOMP_RULE_OTHER_ARCH:
                profile->n_foreign++;
                return false;
        case SECCOMP_RULE_CAPABILITY:
                profile->n_caps++;
                return false;
        case SECCOMP_RULE_NOT:
        default:
                return false;
        }
}

/* ---- one rule ------------------------------------------------------------------------------------- */

static int parse_arg(Profile *profile, const cJSON *json, SeccompArg *ret, Error *err) {
        uint64_t index = 6;
        int r;

        if (seccomp_numbers_get(json, "index", &index) < 0 || index > 5 ||
            seccomp_numbers_get(json, "value", &ret->value) < 0)
                return error_say(err, -EINVAL,
                                 "an argument needs an index up to 5 and a value of 64 bits");
        r = seccomp_numbers_get(json, "valueTwo", &ret->value_two);
        if (r == -EINVAL)
                return error_say(err, r, "valueTwo is no value of 64 bits");
        ret->index = (uint32_t) index;
        return look_up(profile, operators, json_text(json, "op"), &ret->op, err);
}

static int parse_args(Profile *profile, const cJSON *args, SeccompRule *rule, Error *err) {
        const cJSON *arg;
        int r;

        if (args && !cJSON_IsArray(args) && !cJSON_IsNull(args))
                return error_say(err, -EINVAL, "args is no list");
        cJSON_ArrayForEach(arg, args) {
                if (rule->n_args >= ELEMENTS(rule->args))
                        return error_say(err, -EINVAL, "more than six conditions in a rule");
                r = parse_arg(profile, arg, &rule->args[rule->n_args++], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "names", a list, and the older "name". */
static int parse_names(const cJSON *json, SeccompRule *rule, Error *err) {
        const cJSON *names = json_get(json, "names"), *item;
        const char *single = json_text(json, "name");
        int n = cJSON_GetArraySize(names) + (single ? 1 : 0);
        autofree const char **list = calloc((size_t) n + 1, sizeof *list);
        unsigned i = 0;

        if (!list)
                return error_set(err, -ENOMEM, "read a seccomp profile");
        if (n == 0)
                return error_say(err, -EINVAL, "a rule names no call");
        cJSON_ArrayForEach(item, names) {
                if (!cJSON_IsString(item))
                        return error_say(err, -EINVAL, "a name is no string");
                list[i++] = item->valuestring;
        }
        if (single)
                list[i++] = single;
        rule->n_names = i;
        rule->names = TAKE_PTR(list);
        return 0;
}

/* The number in @number, or the name ("EPERM") in @name, which wins. */
static int parse_errno(const cJSON *json, const char *number, const char *name, uint32_t *ret,
                       Error *err) {
        const char *text = json_text(json, name);
        uint64_t value = DEFAULT_ERRNO;

        if (seccomp_numbers_get(json, number, &value) == -EINVAL || value > ERRNO_MAX)
                return error_say(err, -EINVAL, "%s is no errno", number);
        if (text && *text) {
                for (value = 1; value <= ERRNO_MAX; value++) {
                        const char *known = strerrorname_np((int) value);

                        if (known && strcmp(known, text) == 0)
                                break;
                }
                if (value > ERRNO_MAX)
                        return error_say(err, -EINVAL, "%s is no errno: %.32s", name, text);
        }
        *ret = (uint32_t) value;
        return 0;
}

static int parse_action(Profile *profile, const cJSON *json, const char *name, uint32_t *ret,
                        uint32_t *errno_ret, Error *err) {
        const char *text = json_text(json, name);
        int r = look_up(profile, actions, text, ret, err);

        if (r >= 0 && (strcmp(text, "SCMP_ACT_NOTIFY") == 0 || strcmp(text, "SCMP_ACT_TRACE") == 0))
                *errno_ret = ENOSYS;
        return r;
}

static bool repeats_argument(const SeccompRule *rule) {
        uint32_t seen = 0;

        for (unsigned i = 0; i < rule->n_args; i++) {
                if (seen & BIT(rule->args[i].index))
                        return true;
                seen |= BIT(rule->args[i].index);
        }
        return false;
}

/* Engines read a rule that tests one argument twice as one rule a condition: any of them, not all. */
static int split_conditions(Profile *profile, SeccompRule *whole, Error *err) {
        SeccompArg args[ELEMENTS(whole->args)];
        unsigned n = whole->n_args;

        memcpy(args, whole->args, sizeof args);
        whole->n_args = 1;
        if (profile->n + n - 1 > RULES_MAX)
                return error_say(err, -E2BIG, "more than %d rules", RULES_MAX);
        notice(profile,
               "%.64s: a rule tests one argument twice: any of its conditions counts, as engines "
               "read it",
               whole->names[0]);
        for (unsigned i = 1; i < n; i++) {
                SeccompRule *next = &profile->rules[profile->n];
                autofree const char **names = calloc(whole->n_names, sizeof *names);

                if (!names)
                        return error_set(err, -ENOMEM, "read a seccomp profile");
                memcpy(names, whole->names, whole->n_names * sizeof *names);
                *next = *whole;
                next->names = TAKE_PTR(names);
                next->args[0] = args[i];
                profile->n++;
        }
        return 0;
}

static int parse_rule(Profile *profile, const cJSON *json, Error *err) {
        SeccompRule *rule = &profile->rules[profile->n];
        uint32_t action = 0, errno_ret = 0;
        int r;

        note_fields(profile, json, rule_fields);
        r = parse_errno(json, "errnoRet", "errno", &errno_ret, err);
        if (r >= 0)
                r = parse_action(profile, json, "action", &action, &errno_ret, err);
        if (r < 0)
                return r;
        if (!applies(profile, json, action == SECCOMP_DO_ALLOW || action == SECCOMP_DO_LOG))
                return 0;
        if (profile->n >= RULES_MAX)
                return error_say(err, -E2BIG, "more than %d rules", RULES_MAX);
        *rule = (SeccompRule){ .action = action, .errno_ret = errno_ret };
        profile->n++;
        r = parse_names(json, rule, err);
        if (r >= 0)
                r = parse_args(profile, json_get(json, "args"), rule, err);
        return r >= 0 && repeats_argument(rule) ? split_conditions(profile, rule, err) : r;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static int parse_rules(Profile *profile, Error *err) {
        const cJSON *rules = json_get(profile->json, "syscalls"), *rule;
        unsigned i = 0;
        int r;

        if (rules && !cJSON_IsArray(rules) && !cJSON_IsNull(rules))
                return error_say(err, -EINVAL, "seccomp profile: syscalls is no list");
        cJSON_ArrayForEach(rule, rules) {
                r = parse_rule(profile, rule, err);
                if (r < 0)
                        return error_add(err, r, "seccomp profile: /syscalls/%u", i);
                i++;
        }
        return 0;
}

/* The architectures that a profile names, but for our own. */
static void note_arches(Profile *profile) {
        const cJSON *entry, *item, *list = json_get(profile->json, "architectures");
        bool own = cJSON_GetArraySize(list) == 0, others = false;

        cJSON_ArrayForEach(item, list) {
                bool is_own = cJSON_IsString(item) &&
                              seccomp_word_is_in(item->valuestring, profile->arch_names);

                own = own || is_own;
                others = others || !is_own;
        }
        cJSON_ArrayForEach(entry, json_get(profile->json, "archMap")) {
                const char *name = json_text(entry, "architecture");

                others = others || (seccomp_word_is_in(name, profile->arch_names) &&
                                    cJSON_GetArraySize(json_get(entry, "subArchitectures")) > 0);
        }
        if (!own)
                notice(profile, "architectures: does not name %s; its rules are used all the same",
                       profile->arch_names[1]);
        if (others)
                notice(profile, "architectures: calls of any but %s end the process",
                       profile->arch_names[1]);
}

static void note_rest(Profile *profile) {
        const cJSON *flag;

        note_fields(profile, profile->json, profile_fields);
        note_arches(profile);
        cJSON_ArrayForEach(flag, json_get(profile->json, "flags"))
                notice(profile, "flags: %.64s is not set",
                       cJSON_IsString(flag) ? flag->valuestring : "what is no string");
        if (json_get(profile->json, "listenerPath") || json_get(profile->json, "listenerMetadata"))
                notice(profile, "listenerPath: nobody listens, no socket is opened");
        if (profile->n_foreign > 0)
                notice(profile, "%u rules are for other architectures and do not apply",
                       profile->n_foreign);
        if (profile->n_caps > 0)
                notice(profile, "%u rules are for capabilities, which no command has",
                       profile->n_caps);
}

static int parse(Profile *profile, SeccompProfile *ret, Error *err) {
        int r;

        r = parse_errno(profile->json, "defaultErrnoRet", "defaultErrno", &ret->default_errno, err);
        if (r >= 0)
                r = parse_action(profile, profile->json, "defaultAction", &ret->default_action,
                                 &ret->default_errno, err);
        if (r < 0)
                return error_add(err, r, "seccomp profile: /defaultAction");
        if (ret->default_action == SECCOMP_DO_ALLOW || ret->default_action == SECCOMP_DO_LOG)
                return error_say(err, -EINVAL,
                                 "seccomp profile: the default must refuse: list what is allowed");
        r = parse_rules(profile, err);
        if (r < 0)
                return r;
        note_rest(profile);
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
        buf_deinit(&profile->notices);
        json_free(profile->json);
        free(profile);
        return NULL;
}
DEFINE_SCOPED(Profile *, profile_free);

static int read_json(Profile *profile, const char *text, size_t n, Error *err) {
        autofree char *quoted = NULL;
        size_t n_quoted = 0;
        int r;

        r = seccomp_numbers_quote(text, n, &quoted, &n_quoted, err);
        if (r < 0)
                return r;
        r = json_parse(quoted, n_quoted, JSON_COMMENTS, &profile->json, err);
        return r < 0 ? error_add(err, r, "seccomp profile") : 0;
}

int seccomp_profile_compile(const char *text, size_t n, uint32_t arch, SeccompFilter *ret,
                            Error *err) {
        SCOPED(profile_free) Profile *profile = calloc(1, sizeof(Profile));
        SeccompProfile rules = { .arch = arch };
        autofree char *notes = NULL, *all = NULL;
        autoclose int fd = -EBADF;
        int r;

        if (!profile)
                return error_set(err, -ENOMEM, "read a seccomp profile");
        profile->notices = BUF_EMPTY(NOTICES_MAX);
        profile->arch_names = seccomp_arch_names(arch);
        r = read_json(profile, text, n, err);
        if (r >= 0)
                r = parse(profile, &rules, err);
        if (r >= 0)
                r = seccomp_compile(&rules, &fd, &notes, err);
        if (r < 0)
                return r;
        (void) buf_printf(&profile->notices, "%s", notes);
        if (profile->notices.len > 0 && profile->notices.data[profile->notices.len - 1] == '\n')
                profile->notices.data[--profile->notices.len] = 0;
        all = buf_take(&profile->notices);
        if (!all)
                return error_set(err, -ENOMEM, "list the notices of a seccomp profile");
        *ret = (SeccompFilter){ .fd = TAKE_FD(fd), .notices = TAKE_PTR(all) };
        return 0;
}
