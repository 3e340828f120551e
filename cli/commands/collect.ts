/** For options that may be given several times. Without a default, so that help does not show an empty list. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];
