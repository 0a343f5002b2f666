/*
 * signing: see signing.h.
 */
#include "base/signing.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

struct SignKey {
        EVP_PKEY *pkey; /* owned */
};

SignKey *sign_key_free(SignKey *key) {
        if (key)
                EVP_PKEY_free(key->pkey);
        free(key);
        return NULL;
}

/* Takes @pkey over, also where it fails */
static int wrap_consume(EVP_PKEY *pkey, SignKey **ret, Error *err) {
        SignKey *key;

        if (!pkey || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
                EVP_PKEY_free(pkey);
                return error_say(err, -EINVAL, "this is no Ed25519 key as PEM");
        }
        key = calloc(1, sizeof(*key));
        if (!key) {
                EVP_PKEY_free(pkey);
                return error_set(err, -ENOMEM, "take a key");
        }
        key->pkey = pkey;
        *ret = key;
        return 0;
}

int sign_key_make(SignKey **ret, Error *err) {
        return wrap_consume(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), ret, err);
}

static int no_password(char *text, int n, int is_write, void *userdata) {
        (void) text;
        (void) n;
        (void) is_write;
        (void) userdata;
        return -1; /* never asks on a terminal */
}

static int read_pem(const char *pem, size_t n, bool is_public, SignKey **ret, Error *err) {
        BIO *bio = n < SIGN_PEM_MAX * 16 ? BIO_new_mem_buf(pem, (int) n) : NULL;
        EVP_PKEY *pkey = NULL;

        if (bio)
                pkey = is_public ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL)
                                 : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
        BIO_free(bio);
        return wrap_consume(pkey, ret, err);
}

int sign_key_read(const char *pem, size_t n, SignKey **ret, Error *err) {
        return read_pem(pem, n, false, ret, err);
}

int sign_key_read_public(const char *pem, size_t n, SignKey **ret, Error *err) {
        return read_pem(pem, n, true, ret, err);
}

static int write_pem(const SignKey *key, bool is_public, char *text, Error *err) {
        BIO *bio = BIO_new(BIO_s_mem());
        int good = bio ? is_public ? PEM_write_bio_PUBKEY(bio, key->pkey)
                                   : PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL,
                                                              NULL)
                       : 0;
        int n = good == 1 ? BIO_read(bio, text, SIGN_PEM_MAX) : 0;

        BIO_free(bio);
        if (n <= 0 || n >= SIGN_PEM_MAX)
                return error_set(err, -ENOMEM, "write a key as PEM");
        text[n] = 0;
        return 0;
}

int sign_key_text(const SignKey *key, char *text, Error *err) {
        return write_pem(key, false, text, err);
}

int sign_key_public_text(const SignKey *key, char *text, Error *err) {
        return write_pem(key, true, text, err);
}

int sign_key_name(const SignKey *key, char *text, Error *err) {
        uint8_t digest[DIGEST_SIZE], *der = NULL;
        int n = i2d_PUBKEY(key->pkey, &der);

        if (n <= 0)
                return error_set(err, -ENOMEM, "name a key");
        digest_of(der, (size_t) n, digest);
        OPENSSL_free(der);
        (void) digest_format(digest, text);
        return 0;
}

int sign_bytes(const SignKey *key, const void *bytes, size_t n, uint8_t *ret_signature,
               Error *err) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        size_t size = SIGNATURE_SIZE;
        bool good = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
                    EVP_DigestSign(context, ret_signature, &size, bytes, n) == 1 &&
                    size == SIGNATURE_SIZE;

        EVP_MD_CTX_free(context);
        return good ? 0 : error_set(err, -EIO, "sign");
}

bool sign_is_good(const SignKey *key, const void *bytes, size_t n, const uint8_t *signature) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        bool good = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
                    EVP_DigestVerify(context, signature, SIGNATURE_SIZE, bytes, n) == 1;

        EVP_MD_CTX_free(context);
        return good;
}
