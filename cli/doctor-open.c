/*
 * doctor-open: see doctor-open.h. A row holds where nothing is opened, or, for a directory that any jail has,
 * where it is another one than the host's. A plain file must open, or the rows would prove nothing.
 */
#include "cli/doctor-open.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/probe/plants.h"

typedef enum Wanted { WANTED_NOTHING, WANTED_OWN_DIRECTORY, WANTED_FILE } Wanted;

typedef struct OpenRow {
        const char *name;
        const char *tried; /* for people */
        const char *path;
        const char *flags[3];
        Wanted wanted;
} OpenRow;

#define READ(NAME, PATH, TRIED)                                                 \
        {                                                                       \
                .name = NAME, .tried = TRIED, .path = PATH, .flags = { "read" } \
        }
#define WRITE(NAME, PATH, TRIED)                                                 \
        {                                                                        \
                .name = NAME, .tried = TRIED, .path = PATH, .flags = { "write" } \
        }
#define CREATE(NAME, PATH, TRIED)                                      \
        {                                                              \
                .name = NAME, .tried = TRIED, .path = PATH, .flags = { \
                        "write",                                       \
                        "create",                                      \
                        "parents"                                      \
                }                                                      \
        }
#define ABOVE(NAME, PATH, TRIED)                                                 \
        {                                                                        \
                .name = NAME, .tried = TRIED, .path = PATH, .flags = { "read" }, \
                .wanted = WANTED_OWN_DIRECTORY                                   \
        }

static const OpenRow rows[] = {
        { "open-plain", "a file of the jail", PLANT_DIR "/plain", { "read" }, WANTED_FILE },
        READ("open-root-link", PLANT_DIR "/root/etc/passwd",
             "a link to the host's files (/proc/self/root)"),
        READ("open-init-link", PLANT_DIR "/init/etc/passwd", "a link to the root of process 1"),
        READ("open-fd-link", PLANT_DIR "/fd", "a link to a descriptor of who opens"),
        READ("open-cwd", "/proc/self/cwd", "the directory of who opens"),
        READ("open-exe", "/proc/self/exe", "the program of who opens"),
        READ("open-ns", "/proc/self/ns/mnt", "the namespaces of who opens"),
        READ("open-environ", "/proc/1/environ", "the environment of process 1"),
        WRITE("open-mem", "/proc/1/mem", "the memory of process 1"),
        WRITE("open-own-mem", "/proc/self/mem", "the memory of who opens"),
        WRITE("open-setting", "/proc/sys/kernel/core_pattern", "a setting of the kernel"),
        WRITE("open-group", "/sys/fs/cgroup/cgroup.procs", "the control groups"),
        WRITE("open-program", "/usr/bin/env", "a program of the root"),
        READ("open-fifo", PLANT_DIR "/fifo", "a fifo, which blocks who opens it"),
        READ("open-device", "/dev/zero", "a device"),
        READ("open-device-link", PLANT_DIR "/zero", "a link to a device"),
        CREATE("create-link", PLANT_DIR "/dangling", "make what a link points to"),
        CREATE("create-root-link", PLANT_DIR "/root/tmp/made",
               "make a file by way of /proc/self/root"),
        ABOVE("open-dots", "/tmp/../../../../../../../../", "the root by .."),
        ABOVE("open-dots-link", PLANT_DIR "/up", "a link to the root by .."),
};

static cJSON *open_params(const char *jail, const OpenRow *row) {
        cJSON *params = cJSON_CreateObject(), *flags;

        json_add_text(params, "jail", jail);
        json_add_text(params, "path", row->path);
        flags = json_add_array(params, "flags");
        for (unsigned i = 0; i < ELEMENTS(row->flags) && row->flags[i]; i++)
                json_push_text(flags, row->flags[i]);
        return params;
}

static bool is_hosts_root(int fd) {
        struct stat got, host;

        return fstat(fd, &got) < 0 || stat("/", &host) < 0 ||
               (got.st_dev == host.st_dev && got.st_ino == host.st_ino);
}

/* What it means that a descriptor came */
static const char *judge_opened(const OpenRow *row, int fd) {
        if (row->wanted == WANTED_FILE ||
            (row->wanted == WANTED_OWN_DIRECTORY && !is_hosts_root(fd)))
                return "held";
        return "through";
}

static void add(AttackReport *report, const OpenRow *row, const char *outcome, const char *seen) {
        char name[REPORT_WORD_MAX], tried[REPORT_WORD_MAX], result[REPORT_WORD_MAX];
        char wall[] = "supervisor", evidence[REPORT_WORD_MAX * 2];
        char *const words[REPORT_COLUMNS] = { name, tried, result, wall, evidence };

        (void) snprintf(name, sizeof(name), "%s", row->name);
        (void) snprintf(tried, sizeof(tried), "%s", row->tried);
        (void) snprintf(result, sizeof(result), "%s", outcome);
        (void) snprintf(evidence, sizeof(evidence), "%s", seen);
        report_add(report, "supervisor", words);
}

static int try_row(Link *link, const char *jail, const OpenRow *row, AttackReport *report,
                   Error *err) {
        Ask ask = { .method = "jail.open", .params = open_params(jail, row) };
        Answer answer = ANSWER_EMPTY;
        int r = link_ask(link, &ask, &answer, err);

        if (r == 0 && answer.message.n_fds == 1)
                add(report, row, judge_opened(row, answer.message.fds[0]), "it was opened");
        else if (r == LINK_E_REFUSED)
                add(report, row, row->wanted == WANTED_FILE ? "unclear" : "held", err->text);
        else if (r == 0)
                add(report, row, "unclear", "neither a descriptor nor a refusal came");
        answer_deinit(&answer);
        return r < 0 ? r : 0;
}

int doctor_open(Link *link, const char *jail, AttackReport *report, Error *err) {
        int r = 0;

        for (unsigned i = 0; i < ELEMENTS(rows) && r == 0; i++)
                r = try_row(link, jail, &rows[i], report, err);
        return r;
}
