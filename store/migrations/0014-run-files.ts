/** Digests of run files: clients compare them with what lies on their disk before they fetch a file again. */
export const name = '0014-run-files';

export const up = /* sql */ `
alter table run_file add column md5 text;
`;
