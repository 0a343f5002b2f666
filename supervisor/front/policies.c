/*
 * policies: see policies.h.
 *
 * A policy is read when it is first asked for and kept; so is its filter, which takes milliseconds to
 * compile. A child starts as a copy of its parent and may only tighten: smaller limits, the host root
 * refused, more required, and no other seccomp profile (two profiles cannot be compared).
 */
#include "supervisor/front/policies.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/fds.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/schema.h"
#include "supervisor/front/seccomp-profile.h"

#define POLICY_TEXT_MAX  (256 * 1024)
#define PROFILE_TEXT_MAX (1024 * 1024)
#define EXTENDS_MAX      4
#define NAME_MAX_        65 /* see name_is_valid() */

typedef enum Require { REQUIRE_LANDLOCK = 1, REQUIRE_PSI = 2 } Require;

struct Policy {
        Policy *next;
        char name[NAME_MAX_];
        JailLimits limits;
        bool host_root;
        bool binds; /* "rw": a caller's directory may be changed by the jail */
        char seccomp[NAME_MAX_];
        unsigned require; /* Require */
        int filter;       /* owned */
        char *notices;    /* of its seccomp profile, a line each, owned */
        uint8_t digest[DIGEST_SIZE];
};

struct Policies {
        Front *front;  /* borrowed, outlives us */
        int dir_fd;    /* borrowed */
        cJSON *schema; /* owned */
        bool has_psi;
        Policy *first; /* owned */
};

static int read_text(const Policies *policies, const char *path, size_t max, char **ret, size_t *n,
                     Error *err) {
        autoclose int fd = openat(policies->dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        int r;

        if (fd < 0)
                return errno == ENOENT ? error_say(err, -ENOENT, "there is no policies/%s", path)
                                       : error_set(err, -errno, "open policies/%s", path);
        r = fd_read_all(fd, max, ret, n);
        return r < 0 ? error_set(err, r, "read policies/%s", path) : 0;
}

static int read_json(const Policies *policies, const char *path, cJSON **ret, Error *err) {
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        r = read_text(policies, path, POLICY_TEXT_MAX, &text, &n, err);
        if (r < 0)
                return r;
        r = json_parse(text, n, JSON_COMMENTS, ret, err);
        return r < 0 ? error_add(err, r, "policies/%s", path) : 0;
}

int policies_new(Front *front, int dir_fd, Policies **ret, Error *err) {
        Policies *policies = calloc(1, sizeof(Policies));
        int r;

        if (!policies)
                return error_set(err, -ENOMEM, "read the policies");
        *policies = (Policies){ .front = front, .dir_fd = dir_fd };
        policies->has_psi = access("/proc/pressure/memory", R_OK) == 0;
        r = read_json(policies, "schema/policy.json", &policies->schema, err);
        if (r < 0) {
                policies_free(policies);
                return r;
        }
        *ret = policies;
        return 0;
}

static Policy *policy_free(Policy *policy) {
        if (policy && policy->filter >= 0)
                (void) close(policy->filter);
        if (policy)
                free(policy->notices);
        free(policy);
        return NULL;
}
DEFINE_SCOPED(Policy *, policy_free);

Policies *policies_free(Policies *policies) {
        if (!policies)
                return NULL;
        while (policies->first) {
                Policy *first = policies->first;

                policies->first = first->next;
                policy_free(first);
        }
        json_free(policies->schema);
        free(policies);
        return NULL;
}

static int take_seccomp(Policy *policy, const cJSON *json, bool child, Error *err) {
        const char *name = json_text(json, "seccomp");

        if (!name)
                return 0;
        if (child && strcmp(name, policy->seccomp) != 0)
                return error_say(err, -EPERM,
                                 "policy %s may not name another seccomp profile than its parent: "
                                 "leave \"extends\" out",
                                 policy->name);
        if (!name_is_valid(name))
                return error_say(err, -EINVAL, "policy %s: seccomp is no name", policy->name);
        (void) snprintf(policy->seccomp, sizeof policy->seccomp, "%s", name);
        return 0;
}

typedef struct Choice { /* a field of two words */
        const char *name;
        const char *loose;
        bool is_loose; /* in the parent */
} Choice;

/* Returns: 1 the loose word, 0 the tight one, or -EPERM */
static int take_choice(const Policy *policy, const cJSON *json, const Choice *choice, bool child,
                       Error *err) {
        const char *word = json_text(json, choice->name);
        bool loose = word ? strcmp(word, choice->loose) == 0 : choice->is_loose;

        if (loose && child && !choice->is_loose)
                return error_say(err, -EPERM,
                                 "policy %s: %s may not be \"%s\", which its parent refuses",
                                 policy->name, choice->name, choice->loose);
        return loose;
}

static int take_fields(Policy *policy, const cJSON *json, bool child, Error *err) {
        const Choice binds = { "binds", "rw", policy->binds };
        const Choice proc = { "proc", "masked", !policy->limits.proc_pid };
        const cJSON *item;
        const cJSON *host_root = json_get(json, "host_root");
        int r = limits_from_policy(&policy->limits, json, child, err);

        if (r < 0)
                return error_add(err, r, "policy %s", policy->name);
        r = take_choice(policy, json, &binds, child, err);
        if (r < 0)
                return r;
        policy->binds = r;
        r = take_choice(policy, json, &proc, child, err);
        if (r < 0)
                return r;
        policy->limits.proc_pid = !r;
        if (host_root && child && cJSON_IsTrue(host_root) && !policy->host_root)
                return error_say(err, -EPERM,
                                 "policy %s may not allow the host root that its "
                                 "parent refuses",
                                 policy->name);
        if (host_root)
                policy->host_root = cJSON_IsTrue(host_root);
        cJSON_ArrayForEach(item, json_get(json, "require")) policy->require |=
                strcmp(item->valuestring, "psi") == 0 ? REQUIRE_PSI : REQUIRE_LANDLOCK;
        return take_seccomp(policy, json, child, err);
}

/* The name comes last: a child overwrites its parent's. */
static int load(const Policies *policies, const char *name, unsigned depth, Policy *policy,
                Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        SchemaFault fault = { 0 };
        const char *parent;
        char path[NAME_MAX_ + 8];
        int r;

        if (!name_is_valid(name))
                return error_say(err, -EINVAL, "\"%.64s\" is no name of a policy", name);
        if (depth > EXTENDS_MAX)
                return error_say(err, -ELOOP, "policy %s extends more than %d others", name,
                                 EXTENDS_MAX);
        (void) snprintf(path, sizeof path, "%s.json", name);
        r = read_json(policies, path, &json, err);
        if (r < 0)
                return r == -ENOENT ? error_say(err, r,
                                                "there is no policy %s: see "
                                                "`warder policy list`",
                                                name)
                                    : r;
        if (schema_check(policies->schema, json, &fault) < 0)
                return error_say(err, -EINVAL, "policy %s: %s: %s", name, fault.path, fault.text);
        parent = json_text(json, "extends");
        r = parent ? load(policies, parent, depth + 1, policy, err) : 0;
        if (r < 0)
                return error_add(err, r, "policy %s", name);
        (void) snprintf(policy->name, sizeof policy->name, "%s", name);
        return take_fields(policy, json, parent != NULL, err);
}

static int check_required(const Policies *policies, const Policy *policy, Error *err) {
        if ((policy->require & REQUIRE_LANDLOCK) && policies->front->info.landlock_abi == 0)
                return error_say(err, -ENOTSUP,
                                 "policy %s requires Landlock, which this kernel "
                                 "lacks: choose another policy",
                                 policy->name);
        if ((policy->require & REQUIRE_PSI) && !policies->has_psi)
                return error_say(err, -ENOTSUP,
                                 "policy %s requires pressure information (PSI), which this "
                                 "kernel lacks: choose another policy",
                                 policy->name);
        return 0;
}

static int compile(const Policies *policies, Policy *policy, Error *err) {
        SeccompFilter filter = SECCOMP_FILTER_EMPTY;
        autofree char *text = NULL;
        char path[NAME_MAX_ + 16];
        size_t n = 0;
        int r;

        (void) snprintf(path, sizeof path, "seccomp/%s.json", policy->seccomp);
        r = read_text(policies, path, PROFILE_TEXT_MAX, &text, &n, err);
        if (r >= 0)
                r = seccomp_profile_compile(text, n, 0, &filter, err);
        if (r < 0)
                return error_add(err, r, "policy %s", policy->name);
        policy->filter = filter.fd;
        policy->notices = filter.notices;
        if (*policy->notices)
                log_event(LOG_NOTICE, "a seccomp profile is not used as it is written",
                          F("POLICY", policy->name), F("PROFILE", policy->seccomp),
                          F("NOTICES", policy->notices));
        return 0;
}

static int digest_policy(Policy *policy, Error *err) {
        SCOPED(json_free) cJSON *json = policy_json(policy);
        autofree char *text = json ? json_print(json) : NULL;

        if (!text)
                return error_set(err, -ENOMEM, "digest policy %s", policy->name);
        digest_of(text, strlen(text), policy->digest);
        return 0;
}

static int policy_new(Policies *policies, const char *name, Policy **ret, Error *err) {
        SCOPED(policy_free) Policy *policy = calloc(1, sizeof(Policy));
        int r;

        if (!policy)
                return error_set(err, -ENOMEM, "read policy %s", name);
        policy->filter = -EBADF;
        r = load(policies, name, 0, policy, err);
        if (r >= 0)
                r = check_required(policies, policy, err);
        if (r >= 0)
                r = compile(policies, policy, err);
        if (r < 0)
                return r;
        limits_settle(&policy->limits, &policies->front->info);
        r = digest_policy(policy, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(policy);
        return 0;
}

const Policy *policies_find(Policies *policies, const char *name, Error *err) {
        Policy *policy = policies->first;

        while (policy && strcmp(policy->name, name) != 0)
                policy = policy->next;
        if (policy)
                return policy;
        if (policy_new(policies, name, &policy, err) < 0)
                return NULL;
        policy->next = policies->first;
        policies->first = policy;
        return policy;
}

static void push_name(cJSON *names, const char *file) {
        size_t n = strlen(file);
        autofree char *name = NULL;
        cJSON *item;

        if (n < 6 || strcmp(file + n - 5, ".json") != 0)
                return;
        name = strndup(file, n - 5);
        if (!name || !name_is_valid(name))
                return;
        item = cJSON_CreateString(name);
        if (item && !cJSON_AddItemToArray(names, item))
                cJSON_Delete(item);
}

/* The directory has no order. By hand: cJSON_InsertItemInArray() of Debian 12 refuses to insert in the middle. */
static cJSON *sort_names(cJSON *names) {
        cJSON *sorted = cJSON_CreateArray();

        while (sorted && cJSON_GetArraySize(names) > 0) {
                int least = 0, i = 0;
                const cJSON *item;

                cJSON_ArrayForEach(item, names) {
                        if (strcmp(item->valuestring,
                                   cJSON_GetArrayItem(names, least)->valuestring) < 0)
                                least = i;
                        i++;
                }
                (void) cJSON_AddItemToArray(sorted, cJSON_DetachItemFromArray(names, least));
        }
        cJSON_Delete(names);
        return sorted;
}

cJSON *policies_names(Policies *policies) {
        cJSON *names = cJSON_CreateArray();
        int fd = openat(policies->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!dir) {
                if (fd >= 0)
                        (void) close(fd);
                return names;
        }
        while ((entry = readdir(dir)))
                push_name(names, entry->d_name);
        (void) closedir(dir);
        return sort_names(names);
}

const char *policy_name(const Policy *policy) {
        return policy->name;
}

const JailLimits *policy_limits(const Policy *policy) {
        return &policy->limits;
}

int policy_filter(const Policy *policy) {
        return policy->filter;
}

bool policy_may_host_root(const Policy *policy) {
        return policy->host_root;
}

bool policy_may_bind(const Policy *policy) {
        return policy->binds;
}

const uint8_t *policy_digest(const Policy *policy) {
        return policy->digest;
}

static void add_filter_digest(const Policy *policy, cJSON *json) {
        uint8_t value[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];

        if (digest_of_fd(policy->filter, value, NULL) == 0)
                json_add_text(json, "filter", digest_format(value, text));
}

/* What of the seccomp profile is not done as it is written: a list of sentences, absent where there are none. */
static void add_notices(const Policy *policy, cJSON *json) {
        const char *at = policy->notices;
        cJSON *list = at && *at ? json_add_array(json, "notices") : NULL;

        while (list && *at) {
                size_t n = strcspn(at, "\n");
                autofree char *line = strndup(at, n);

                if (line)
                        json_push_text(list, line);
                at += n + (at[n] == '\n');
        }
}

cJSON *policy_json(const Policy *policy) {
        cJSON *json = cJSON_CreateObject();
        cJSON *list;

        json_add_text(json, "warder", "policy/1");
        json_add_text(json, "name", policy->name);
        limits_describe(&policy->limits, json);
        json_add_text(json_add_object(json, "network"), "mode", "none");
        json_add_text(json, "binds", policy->binds ? "rw" : "none");
        json_add_text(json, "proc", policy->limits.proc_pid ? "pid" : "masked");
        json_add_bool(json, "host_root", policy->host_root);
        json_add_text(json, "seccomp", policy->seccomp);
        list = json_add_array(json, "require");
        if (policy->require & REQUIRE_LANDLOCK)
                json_push_text(list, "landlock");
        if (policy->require & REQUIRE_PSI)
                json_push_text(list, "psi");
        add_filter_digest(policy, json);
        add_notices(policy, json);
        return json;
}

static int run_list(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        cJSON *json = cJSON_CreateObject();

        (void) call;
        (void) params;
        if (!json)
                return error_set(err, -ENOMEM, "list the policies");
        json_add_consume(json, "policies", policies_names(front->policies));
        *ret_result = json;
        return 0;
}

static int run_show(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        const Policy *policy = policies_find(front->policies, json_text(params, "name"), err);
        cJSON *json = policy ? policy_json(policy) : NULL;

        if (!policy) {
                call_refuse(call, err->code == -ENOENT ? "not_found" : "invalid", "/name", NULL);
                return err->code;
        }
        if (!json)
                return error_set(err, -ENOMEM, "show a policy");
        *ret_result = json;
        return 0;
}

const MethodRow policy_methods[] = {
        { .name = "policy.list",
          .params = "{\"type\":\"object\",\"additionalProperties\":false}",
          .result = "{\"type\":\"object\",\"required\":[\"policies\"],\"properties\":{\"policies\":"
                    "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}",
          .summary = "The names of all policies",
          .charge = "none",
          .run = run_list },
        { .name = "policy.show",
          .params = "{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false,"
                    "\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":64}}}",
          .result = "{\"type\":\"object\",\"required\":[\"warder\",\"name\",\"limits\"]}",
          .summary = "One policy with everything that it inherits, in bytes and microseconds",
          .charge = "none",
          .run = run_show },
        { 0 },
};
