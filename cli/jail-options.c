/*
 * jail-options: from words to the members of jail.create and jail.exec. A limit that is not given is not
 * sent: the policy's holds.
 */
#include "cli/jail-options.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/consent.h"
#include "base/units.h"
#include "cli/outcome.h"
#include "cli/own-policy.h"

static const char *or_environment(const char *text, const char *name) {
        const char *value = text ? text : getenv(name);

        return value && *value ? value : NULL;
}

static void add_if(cJSON *object, const char *name, uint64_t value) {
        if (value > 0)
                json_add_number(object, name, value);
}

static int add_limits(const JailOptions *options, cJSON *params, Error *err) {
        cJSON *limits;
        uint32_t permille = 0;

        if (options->cpu && units_parse_share(options->cpu, &permille, err) < 0) {
                (void) error_add(err, -EINVAL, "--cpu");
                return VERB_E_USAGE;
        }
        if (options->cpu && permille == 0) {
                (void) error_say(err, -EINVAL, "--cpu: must be more than 0");
                return VERB_E_USAGE;
        }
        if (!options->memory && !options->pids && (!options->disk || options->persistent) &&
            !permille)
                return 0;
        limits = json_add_object(params, "limits");
        add_if(limits, "memory", options->memory);
        add_if(limits, "pids", options->pids);
        add_if(limits, "cpu", permille);
        if (!options->persistent)
                add_if(limits, "disk", options->disk);
        return 0;
}

/* The files of a workspace are its own: no directory of the caller's is shown in it */
static int add_workspace(const JailOptions *options, cJSON *params, Error *err) {
        cJSON *persistent;

        if (!options->persistent && (options->idle_stop || options->ttl)) {
                (void) error_say(err, -EINVAL, "--idle-stop and --ttl are of --persistent NAME.");
                return VERB_E_USAGE;
        }
        if (!options->persistent)
                return 0;
        if (options->rw) {
                (void) error_say(err, -EINVAL, "--persistent and --rw exclude each other.");
                return VERB_E_USAGE;
        }
        persistent = json_add_object(params, "persistent");
        json_add_text(persistent, "name", options->persistent);
        add_if(persistent, "disk", options->disk);
        add_if(persistent, "idle_stop", options->idle_stop);
        add_if(persistent, "ttl", options->ttl);
        return 0;
}

bool jail_options_has_work(const JailOptions *options) {
        return !options->no_work && !options->persistent;
}

unsigned jail_options_given(const JailOptions *options) {
        return (options->memory ? BIT(LIMIT_MEMORY) : 0) | (options->pids ? BIT(LIMIT_PIDS) : 0) |
               (options->disk ? BIT(LIMIT_DISK) : 0);
}

unsigned exec_options_given(const ExecOptions *options) {
        return (options->wall ? BIT(LIMIT_WALL) : 0) |
               (options->cpu_time ? BIT(LIMIT_CPU_TIME) : 0);
}

const char *jail_options_snapshot(const JailOptions *options) {
        return or_environment(options->snapshot, "WARDER_SNAPSHOT");
}

int jail_options_add(const JailOptions *options, cJSON *params, Error *err) {
        const char *snapshot = jail_options_snapshot(options);
        int r;

        if (options->net && strcmp(options->net, "none") != 0) {
                (void) error_say(err, -EINVAL,
                                 "--net %s: a jail has no network; 'none' is the only mode.",
                                 options->net);
                return VERB_E_USAGE;
        }
        if (options->rw && options->no_work) {
                (void) error_say(err, -EINVAL, "--rw and --no-work exclude each other.");
                return VERB_E_USAGE;
        }
        r = add_workspace(options, params, err);
        if (r != 0)
                return r;
        if (jail_options_has_work(options))
                json_add_bool(params, "work", true);
        if (options->rw)
                json_add_bool(params, "rw", true);
        if (snapshot)
                json_add_text(params, "snapshot", snapshot);
        r = own_policy_choose(options->policy, params, err);
        return r < 0 ? r : add_limits(options, params, err);
}

/* What lies on a file system of the kernel's own is no data: it cannot be shown, and a copy of it is none */
static bool is_of_kernel(int fd) {
        static const unsigned kinds[] = { PROC_SUPER_MAGIC,   SYSFS_MAGIC,
                                          CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                          DEBUGFS_MAGIC,      TRACEFS_MAGIC,
                                          SECURITYFS_MAGIC,   DEVPTS_SUPER_MAGIC,
                                          BPF_FS_MAGIC };
        struct statfs where;

        if (fstatfs(fd, &where) < 0)
                return false;
        for (size_t i = 0; i < ELEMENTS(kinds); i++)
                if ((unsigned) where.f_type == kinds[i])
                        return true;
        return false;
}

static int check_work(int fd, const char *name, Error *err) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at %s", name);
        if (st.st_nlink == 0)
                return error_say(err, -ENOENT,
                                 "%s is gone: it was removed. Change to a directory that is there, "
                                 "or give --no-work.",
                                 name);
        if (is_of_kernel(fd))
                return error_say(err, -EINVAL,
                                 "%s holds no files but what the kernel shows (as /proc and /sys "
                                 "do): it cannot be the jail's /work. Change to another directory, "
                                 "or give --no-work.",
                                 name);
        return 0;
}

int jail_options_work(const JailOptions *options, int sock, Error *err) {
        const char *path = options->rw ? options->rw : ".";
        int fd, r;

        if (!jail_options_has_work(options))
                return -EBADF;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open %s",
                                 options->rw ? path : "the current directory");
        r = check_work(fd, options->rw ? path : "the current directory", err);
        if (r >= 0)
                r = consent_give(sock, fd, options->rw != NULL, err);
        if (r < 0)
                (void) close(fd);
        return r < 0 ? r : fd;
}

int jail_options_user(const char *text, cJSON *object, Error *err) {
        char uid_text[16];
        const char *colon = strchr(text, ':');
        uint64_t uid = 0, gid = 0;
        cJSON *user;

        snprintf(uid_text, sizeof(uid_text), "%.*s",
                 (int) (colon ? colon - text : (ptrdiff_t) strlen(text)), text);
        if (units_parse_number(uid_text, &uid, err) < 0 ||
            (colon && units_parse_number(colon + 1, &gid, err) < 0)) {
                (void) error_say(err, -EINVAL,
                                 "--user %s: give the number of a user, or UID:GID; names differ "
                                 "between snapshots.",
                                 text);
                return VERB_E_USAGE;
        }
        user = json_add_object(object, "user");
        json_add_number(user, "uid", uid);
        json_add_number(user, "gid", colon ? gid : uid);
        return 0;
}

static int add_env(const OptionList *list, cJSON *exec, Error *err) {
        cJSON *env = list->n > 0 ? json_add_object(exec, "env") : NULL;

        for (unsigned i = 0; i < list->n; i++) {
                char name[128];
                size_t n = strcspn(list->items[i], "=");
                const char *value;

                if (n == 0 || n >= sizeof(name)) {
                        (void) error_say(err, -EINVAL, "--env %.40s: give NAME=VALUE or NAME.",
                                         list->items[i]);
                        return VERB_E_USAGE;
                }
                memcpy(name, list->items[i], n);
                name[n] = 0;
                value = list->items[i][n] == '=' ? list->items[i] + n + 1 : getenv(name);
                cJSON_DeleteItemFromObjectCaseSensitive(env, name); /* the last one counts */
                if (value)
                        json_add_text(env, name, value);
        }
        return 0;
}

int exec_words(const VerbCall *call, const char *verb, char ***ret_words, int *ret_n, Error *err) {
        const char *first = call->n_words > 1 ? call->words[1] : "";
        int used = strcmp(first, "--") == 0 ? 2 : 1;

        if (call->n_words < 1) {
                (void) error_say(err, -EINVAL, "No jail was named; 'warder ls' lists them.");
                return VERB_E_USAGE;
        }
        if (used == 1 && first[0] == '-') {
                (void) error_say(err, -EINVAL,
                                 "%.60s stands behind the jail, where the command begins: options "
                                 "come before it, 'warder %s %.60s … %.60s -- CMD'.",
                                 first, verb, first, call->words[0]);
                return VERB_E_USAGE;
        }
        *ret_words = call->words + used;
        *ret_n = call->n_words - used;
        return 0;
}

int exec_options_add(const ExecOptions *options, char **argv, int n, cJSON *exec, Error *err) {
        cJSON *words = n > 0 ? json_add_array(exec, "argv") : NULL;
        cJSON *limits = options->wall || options->cpu_time ? json_add_object(exec, "limits") : NULL;

        if (n == 0 && !options->has_own) {
                (void) error_say(err, -EINVAL, "No command was given.");
                return VERB_E_USAGE;
        }
        if (n > 0 && !argv[0][0]) {
                (void) error_say(err, -EINVAL, "The command's name is empty.");
                return VERB_E_USAGE;
        }
        for (int i = 0; i < n; i++)
                json_push_text(words, argv[i]);
        add_if(limits, "wall", options->wall);
        add_if(limits, "cpu_time", options->cpu_time);
        if (options->cwd && options->cwd[0] != '/') {
                (void) error_say(err, -EINVAL, "--cwd %.60s: give an absolute path of the jail.",
                                 options->cwd);
                return VERB_E_USAGE;
        }
        if (options->cwd)
                json_add_text(exec, "cwd", options->cwd);
        if (options->user && jail_options_user(options->user, exec, err) != 0)
                return VERB_E_USAGE;
        return add_env(&options->env, exec, err);
}
