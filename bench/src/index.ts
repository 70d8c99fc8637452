// This package has no library: `npm run bench` runs it.
export {};
