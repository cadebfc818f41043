/** Where the password of a PKCS#12 file or a key comes from. */
export const PASSWORD_OPTIONS = { "password-env": { type: "string" } } as const;
