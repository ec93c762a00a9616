/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What went wrong and what the person can do about it, in words. Filled where the cause is known,
 * printed once by main().
 */
#ifndef SHK_ERROR_H
#define SHK_ERROR_H

struct shk_error {
	int code;		/* negative errno; -EINVAL is the user's own input */
	char text[1024];
};

/* Returns @code (a negative errno), so that a caller can write: return shk_error_set(...). */
int shk_error_set(struct shk_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* SHK_ERROR_H */
