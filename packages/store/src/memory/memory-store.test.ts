import { memoryHarness, storeContract } from "@runtara/store/testing";

storeContract("memory", memoryHarness);
