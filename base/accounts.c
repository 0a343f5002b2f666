/*
 * accounts: see accounts.h.
 */
#include "base/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

uint32_t accounts_group(const char *name) {
        FILE *file = fopen("/etc/group", "re");
        const struct group *group = NULL;

        while (file && (group = fgetgrent(file)) && strcmp(group->gr_name, name) != 0)
                ;
        if (file)
                (void) fclose(file);
        return group ? group->gr_gid : UINT32_MAX;
}

bool accounts_user(const char *name, uint32_t *ret_uid, uint32_t *ret_gid) {
        FILE *file = fopen("/etc/passwd", "re");
        const struct passwd *user = NULL;

        while (file && (user = fgetpwent(file)) && strcmp(user->pw_name, name) != 0)
                ;
        if (file)
                (void) fclose(file);
        if (!user || user->pw_uid == 0 || user->pw_gid == 0)
                return false;
        *ret_uid = user->pw_uid;
        *ret_gid = user->pw_gid;
        return true;
}
