/*
 * doctor-find: see doctor-find.h. What a user may not read is "unknown", never "ok".
 */
#include "cli/doctor-find.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void found_set(char *found, const char *format, ...) {
        va_list args;

        va_start(args, format);
        (void) vsnprintf(found, FOUND_MAX, format, args);
        va_end(args);
}

State find_call(const Check *check, char *found) {
        long r = syscall(check->number, -1L, NULL, -1L, NULL, 0L, 0L);

        found_set(found, "%s", r < 0 ? strerrorname_np(errno) : "there");
        if (r < 0 && errno == ENOSYS)
                return STATE_MISSING;
        return r < 0 && errno == EPERM ? STATE_UNKNOWN : STATE_OK;
}

State find_file(const Check *check, char *found) {
        if (access(check->path, F_OK) == 0) {
                found_set(found, "%s", check->path);
                return STATE_OK;
        }
        found_set(found, "%s: %s", check->path, strerrorname_np(errno));
        return errno == EACCES ? STATE_UNKNOWN : STATE_MISSING;
}

bool find_first_line(const char *path, char *line, int n) {
        FILE *file = fopen(path, "re");
        bool is_there = file && fgets(line, n, file);

        if (is_there)
                line[strcspn(line, "\n")] = 0;
        if (file)
                (void) fclose(file);
        return is_there;
}

/* A setting that is not there is the setting of a kernel that lacks what it guards: said, not judged */
State find_setting(const Check *check, char *found) {
        char value[32] = "";

        errno = 0;
        if (!find_first_line(check->path, value, sizeof(value))) {
                found_set(found, "%s", errno ? strerrorname_np(errno) : "empty");
                return STATE_UNKNOWN;
        }
        found_set(found, "%s", value);
        return value[0] && !value[1] && strchr(check->good, value[0]) ? STATE_OK : STATE_WEAK;
}

State find_line(const char *path, const char *part, char *found) {
        FILE *file = fopen(path, "re");
        char line[1024];
        State state = STATE_MISSING;

        while (file && fgets(line, sizeof(line), file))
                if (strstr(line, part))
                        state = STATE_OK;
        if (!file)
                state = STATE_UNKNOWN;
        else
                (void) fclose(file);
        found_set(found, "%s%s", state == STATE_OK ? "" : "no ", part);
        return state;
}
