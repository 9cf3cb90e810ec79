/// <reference types="vite/client" />
declare module "*.json" {
  const value: object;
  export default value;
}
