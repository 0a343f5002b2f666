/*
 * host-key: see host-key.h. A file appears whole or not at all: it is written under a name of this process and
 * then linked (the key: the first one stays) or renamed.
 */
#include "cli/ssh/host-key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

#define KEY_FILE_MAX 16384
#define TEMP_MAX     (SSH_PLACE_MAX + 64)

/* Behind sudo HOME may still be the person's: what root made there would be in that person's way */
static int check_above(uid_t owner, const char *path, Error *err) {
        if (geteuid() != 0 || owner == 0)
                return 0;
        return error_say(err, -EPERM,
                         "%s would be root's in a directory of another user's. Behind sudo that "
                         "is HOME: use 'sudo -H', or say XDG_STATE_HOME.",
                         path);
}

/* mkdir -p for a path of ours; what is there keeps its mode */
static int make_dirs(const char *path, Error *err) {
        char part[SSH_PLACE_MAX];
        uid_t above = geteuid();
        struct stat st;

        for (size_t i = 1; path[i - 1]; i++) {
                int r;

                if (path[i] && path[i] != '/')
                        continue;
                memcpy(part, path, i);
                part[i] = 0;
                if (stat(part, &st) == 0) {
                        above = st.st_uid;
                        continue;
                }
                r = check_above(above, part, err);
                if (r < 0)
                        return r;
                if (mkdir(part, 0700) < 0 && errno != EEXIST)
                        return error_set(err, -errno, "make the directory %s", part);
                above = geteuid();
        }
        return 0;
}

/* Nobody but this user may have had a hand in it */
static int check_own(int fd, const char *path, Error *err) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at %s", path);
        if (st.st_uid != geteuid() || (st.st_mode & 022) ||
            (S_ISREG(st.st_mode) && (st.st_mode & 077)))
                return error_say(
                        err, -EPERM,
                        "%s is not yours alone: it would prove nothing. Remove it, and run "
                        "'warder ssh-config' again.",
                        path);
        return 0;
}

static int check_dir(const SshPlaces *places, Error *err) {
        autoclose int dir = open(places->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return dir < 0 ? error_set(err, -errno, "open %s", places->dir)
                       : check_own(dir, places->dir, err);
}

int host_key_load(const SshPlaces *places, ssh_key *ret, Error *err) {
        autoclose int fd = open(places->key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        if (fd < 0 && errno == ENOENT)
                return error_say(err, -ENOENT,
                                 "This user has no key for connections to jails: 'warder "
                                 "ssh-config' makes one.");
        r = fd < 0 ? error_set(err, -errno, "open %s", places->key)
                   : check_own(fd, places->key, err);
        if (r == 0)
                r = check_dir(places, err);
        if (r < 0)
                return r;
        r = fd_read_all(fd, KEY_FILE_MAX, &text, &n);
        if (r == 0 && ssh_pki_import_privkey_base64(text, NULL, NULL, NULL, ret) != SSH_OK)
                r = -EBADMSG;
        if (text)
                explicit_bzero(text, n);
        return r < 0 ? error_say(err, r,
                                 "%s is no key. Remove it, and run 'warder ssh-config' again.",
                                 places->key)
                     : 0;
}

static int make_key(const SshPlaces *places, Error *err) {
        char temp[TEMP_MAX];
        ssh_key key = NULL;
        int r = 0;

        (void) snprintf(temp, sizeof(temp), "%s.%d", places->key, (int) getpid());
        (void) unlink(temp);
        if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK)
                return error_say(err, -EIO, "A key could not be made.");
        if (ssh_pki_export_privkey_file(key, NULL, NULL, NULL, temp) != SSH_OK)
                r = error_say(err, -EIO, "The key could not be written to %s.", temp);
        else if (link(temp, places->key) < 0 && errno != EEXIST)
                r = error_set(err, -errno, "put the key at %s", places->key);
        (void) unlink(temp);
        ssh_key_free(key);
        return r;
}

static int write_known(const SshPlaces *places, const char *line, Error *err) {
        char temp[TEMP_MAX];
        autoclose int fd = -EBADF;
        int r;

        (void) snprintf(temp, sizeof(temp), "%s.%d", places->known_hosts, (int) getpid());
        (void) unlink(temp);
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set(err, -errno, "write %s", temp);
        r = fd_write_all(fd, line, strlen(line));
        if (r == 0 && rename(temp, places->known_hosts) < 0)
                r = -errno;
        if (r < 0)
                (void) unlink(temp);
        return r < 0 ? error_set(err, r, "write %s", places->known_hosts) : 0;
}

/* As ssh reads it: one name for the key, whatever the jail is called */
static int tell_known(const SshPlaces *places, Error *err) {
        char line[512], *text = NULL;
        ssh_key key = NULL;
        int r = host_key_load(places, &key, err);

        if (r < 0)
                return r;
        if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
                r = error_say(err, -EIO, "The key at %s has no public half.", places->key);
        if (r == 0) {
                (void) snprintf(line, sizeof(line), SSH_HOST_ALIAS " %s %s\n",
                                ssh_key_type_to_char(ssh_key_type(key)), text);
                r = write_known(places, line, err);
        }
        ssh_string_free_char(text);
        ssh_key_free(key);
        return r;
}

int host_key_make(const SshPlaces *places, Error *err) {
        int r;

        (void) umask(077);
        r = make_dirs(places->dir, err);
        if (r == 0)
                r = check_dir(places, err);
        if (r == 0 && access(places->key, F_OK) < 0)
                r = make_key(places, err);
        return r < 0 ? r : tell_known(places, err);
}
