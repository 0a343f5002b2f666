/*
 * inject-client: see inject-client.h.
 */
#include "tests/jail/inject-client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"

#define RUN_COMMAND "exec warder run --time 10s -- /bin/echo done"
#define RUN_IMPORT                                                                                 \
        "warder snapshot rm faulty >/dev/null 2>&1; warder snapshot import faulty ../root.tar && " \
        "warder snapshot rm faulty"
#define RUN_CHECK                                                                       \
        "warder snapshot fsck --json >../checked 2>&1 && "                              \
        "grep -q '\"damaged_total\": *0' ../checked && "                                \
        "grep -q '\"unknown_total\": *0' ../checked || { cat ../checked; exit 1; }; "   \
        "warder snapshot list --json >../names || exit 1; "                             \
        "grep -q '\"faulty\"' ../names || exit 0; "                                     \
        "warder snapshot export faulty ../out.tar && rm -rf ../out && mkdir ../out && " \
        "tar -C ../out -xf ../out.tar && diff -r ../root ../out && echo whole"

static void path_of(const InjectClient *client, const char *name, char *ret) {
        (void) snprintf(ret, PATH_MAX, "%s/%s", client->dir, name);
}

bool inject_client_prepare(const InjectClient *client) {
        char command[PATH_MAX + 128];

        (void) snprintf(command, sizeof(command),
                        "cd '%s' && mkdir -p work root/etc root/tmp && echo x >root/etc/motd && "
                        "tar -C root -cf root.tar .",
                        client->dir);
        return system(command) == 0;
}

static const char *command_of(const InjectClient *client) {
        return client->is_check ? RUN_CHECK : client->is_import ? RUN_IMPORT : RUN_COMMAND;
}

static void become(const InjectClient *client) {
        char path[PATH_MAX], search[PATH_MAX + 32];
        const char *usual = getenv("PATH");
        int out;

        path_of(client, "words", path);
        out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        (void) dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
        (void) dup2(out, 1);
        (void) dup2(out, 2);
        path_of(client, "run/warder.sock", path);
        (void) setenv("WARDER_SOCKET", path, 1);
        (void) snprintf(search, sizeof(search), "%s/cli:%.*s", client->build, 1000,
                        usual ? usual : "/usr/bin:/bin");
        (void) setenv("PATH", search, 1);
        path_of(client, "work", path);
        if (chdir(path) == 0)
                (void) execl("/bin/sh", "sh", "-c", command_of(client), (char *) NULL);
        _exit(127);
}

pid_t inject_client_start(const InjectClient *client) {
        pid_t pid = fork();

        if (pid == 0)
                become(client);
        return pid;
}

void inject_client_words(const InjectClient *client, char *ret, size_t n) {
        char path[PATH_MAX];
        FILE *file;
        size_t got = 0;

        path_of(client, "words", path);
        file = fopen(path, "re");
        if (file) {
                got = fread(ret, 1, n - 1, file);
                (void) fclose(file);
        }
        ret[got] = 0;
        for (char *end = ret; (end = strchr(end, '\n'));)
                *end = end[1] ? '|' : '\0';
}

unsigned inject_client_left(const InjectClient *client) {
        char command[PATH_MAX + 128];
        unsigned n = ~0u;
        FILE *file;

        (void) snprintf(
                command, sizeof(command),
                "cd '%s/state/store' && find new gone layers -mindepth 1 -maxdepth 1 | wc -l",
                client->dir);
        file = popen(command, "re");
        if (file && fscanf(file, "%u", &n) != 1)
                n = ~0u;
        if (file)
                (void) pclose(file);
        return n;
}
